create or replace function daybook._written_elsewhere(schema_name text) returns table (relation oid, written bigint)
language sql volatile
as $$
  select c.oid, pg_stat_get_xact_tuples_inserted(c.oid) + pg_stat_get_xact_tuples_updated(c.oid) + pg_stat_get_xact_tuples_deleted(c.oid)
    from pg_class c
    join pg_namespace n on n.oid = c.relnamespace
   where c.relkind = 'r' and c.relpersistence <> 't'
     and n.nspname not in ('daybook', 'pg_catalog', _written_elsewhere.schema_name)
     and pg_stat_get_xact_tuples_inserted(c.oid) + pg_stat_get_xact_tuples_updated(c.oid) + pg_stat_get_xact_tuples_deleted(c.oid) > 0
$$;

comment on function daybook._written_elsewhere(text) is
  'Tables that this transaction has written rows of, besides those of Daybook and those in the schema of a version, and how many.';
