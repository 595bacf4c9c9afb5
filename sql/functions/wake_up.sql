-- Whoever rides along is told that its sleeper has gone: it wakes, and one of the riders sleeps in its place.
create or replace function daybook.wake_up() returns void
language plpgsql volatile
as $$
declare
  _held text[] := array(
    select l.objid || ' ' || l.mode
      from pg_locks l
     where l.locktype = 'advisory' and l.classid = 1145196366::oid and l.objsubid = 2 and l.pid = pg_backend_pid()
       and l.database = (select d.oid from pg_database d where d.datname = current_database()));
begin
  if '1 ShareLock' = any (_held) then
    perform pg_advisory_unlock_shared(1145196366, 1);
  end if;

  if '0 ExclusiveLock' = any (_held) then
    perform pg_advisory_unlock(1145196366, 0);
    if pg_try_advisory_lock(1145196366, 1) then
      perform pg_advisory_unlock(1145196366, 1);
    else
      perform daybook._notify_sleepers();
    end if;
  end if;
end
$$;

comment on function daybook.wake_up() is
  'The session that fell asleep works again: gives back what fall_asleep took, and passes the waking on to those who ride along. Harmless where it was not asleep.';
