create or replace view daybook.workers_alive with (security_invoker = true) as
select w.worker, w.host, w.pid, w.started_at,
       exists (
         select from pg_locks l
          where l.locktype = 'advisory' and l.classid = 1145196367::oid and l.objsubid = 2 and l.granted
            and l.objid = ((w.lock_key::bigint + 4294967296) & 4294967295)::oid
            and l.database = (select d.oid from pg_database d where d.datname = current_database())) as is_alive
  from daybook.workers w
 order by w.started_at;

comment on view daybook.workers_alive is 'Worker processes that have said they are there, and whether they live: a dead one is swept away, and its jobs released, by the others.';
comment on column daybook.workers_alive.worker is 'Id of its pool of graphile-worker, under which jobs are locked.';
comment on column daybook.workers_alive.host is 'Name of the machine.';
comment on column daybook.workers_alive.pid is 'Process id there.';
comment on column daybook.workers_alive.started_at is 'Since when.';
comment on column daybook.workers_alive.is_alive is 'Whether its session holds its lock.';
