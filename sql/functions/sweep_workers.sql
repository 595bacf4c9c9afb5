-- Within one transaction with the release of their jobs: one sweeper does it, and a sweeper that is killed in between has
-- done nothing.
create or replace function daybook.sweep_workers() returns setof text
language sql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
  with dead as (
    select w.worker
      from daybook.workers w
     where not exists (
             select from pg_locks l
              where l.locktype = 'advisory' and l.classid = 1145196367::oid and l.objsubid = 2 and l.granted
                and l.objid = ((w.lock_key::bigint + 4294967296) & 4294967295)::oid
                and l.database = (select d.oid from pg_database d where d.datname = current_database()))
       for update of w skip locked)
  delete from daybook.workers w using dead d where w.worker = d.worker returning w.worker
$$;

comment on function daybook.sweep_workers() is
  'Forgets the workers whose session has ended, and returns their ids: whoever calls it releases their jobs in the same transaction (graphile_worker.force_unlock_workers).';
