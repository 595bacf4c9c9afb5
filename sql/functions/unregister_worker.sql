create or replace function daybook.unregister_worker(worker text) returns boolean
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  _key integer;
begin
  delete from daybook.workers w where w.worker = unregister_worker.worker returning w.lock_key into _key;
  if _key is null then
    return false;
  end if;
  -- of this session, where it is the one that registered
  if exists (
    select from pg_locks l
     where l.locktype = 'advisory' and l.classid = 1145196367::oid and l.objsubid = 2 and l.pid = pg_backend_pid()
       and l.objid = ((_key::bigint + 4294967296) & 4294967295)::oid
       and l.database = (select d.oid from pg_database d where d.datname = current_database())
  ) then
    perform pg_advisory_unlock(1145196367, _key);
  end if;
  return true;
end
$$;

comment on function daybook.unregister_worker(text) is
  'A worker process leaves. True if it was there.';
