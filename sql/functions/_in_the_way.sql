create or replace function daybook._in_the_way(version daybook.projection_versions) returns text[]
language sql volatile
as $$
  select array(
    select distinct l.virtualtransaction
      from pg_locks l
     where l.locktype = 'relation' and l.granted
       and l.database = (select d.oid from pg_database d where d.datname = current_database())
       and l.pid is distinct from pg_backend_pid()
       and (l.relation = 'daybook.event_log'::regclass and l.mode = 'RowExclusiveLock'
            or l.relation in (
              select c.oid from pg_class c
               where c.relnamespace = to_regnamespace(quote_ident((version).view_schema)) and (version).tables ? c.relname)))
$$;

comment on function daybook._in_the_way(daybook.projection_versions) is
  'Transactions that append at present, or have the views of a projection open, as pg_locks names them.';
