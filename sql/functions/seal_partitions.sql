-- A partition is sealed in three calls, each in a transaction of its own: (1) from now on nothing is recorded before
-- its end; (2) note who may still work with the old bound: whoever is in a transaction now; (3) once all of them
-- have ended, its highest position is final. Readers then leave it out without looking at it.
create or replace function daybook.seal_partitions() returns setof text
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
set datestyle = 'ISO'
as $$
declare
  _me text := 'x' || pg_current_xact_id();
  _running text[];
  _last bigint;
  _partition daybook.event_partitions;
begin
  perform pg_advisory_xact_lock(1145196364, 0);
  select array_agg(distinct l.virtualtransaction) into _running
    from pg_locks l
    left join pg_stat_activity a on a.pid = l.pid
   where l.pid is distinct from pg_backend_pid()
     and ((l.locktype = 'virtualxid' and a.datname = current_database())
          or (l.locktype = 'relation' and l.relation = 'daybook.stream_heads'::regclass
              and l.database = (select d.oid from pg_database d where d.datname = current_database())));

  for _partition in
    select p.* from daybook.event_partitions p where p.range_to <= clock_timestamp() and p.last_position is null order by p.range_from
  loop
    if _partition.waiting_for is null then
      perform daybook._set_constant('_writable_from', 'timestamptz', _partition.range_to::text);
      update daybook.event_partitions p set waiting_for = array[_me] where p.range_from = _partition.range_from;
    elsif _partition.waiting_for[1] like 'x%' and _partition.waiting_for[1] <> _me then
      update daybook.event_partitions p set waiting_for = coalesce(_running, '{}') where p.range_from = _partition.range_from;
    elsif _partition.waiting_for[1] is distinct from _me and not coalesce(_partition.waiting_for && _running, false)
          -- after a crash prepared transactions have other names: those that have written into it still hold it
          and not exists (select from pg_locks l
                           where l.locktype = 'relation' and l.relation = format('daybook.%I', _partition.partition_name)::regclass
                             and l.database = (select d.oid from pg_database d where d.datname = current_database())
                             and l.mode = 'RowExclusiveLock' and l.pid is null) then
      execute format('select coalesce(max(position), 0) from daybook.%I', _partition.partition_name) into _last;
      update daybook.event_partitions p set waiting_for = null, last_position = _last where p.range_from = _partition.range_from;
      return next _partition.partition_name;
    end if;
  end loop;
end
$$;

comment on function daybook.seal_partitions() is
  'Takes partitions of past months a step closer to being sealed (three calls in three transactions) and returns those that became so. Readers skip a sealed partition by its last position.';
