-- One sleeper holds the sleepers' lock for all; further processes ride along, each with the shared form of a lock of
-- the riders. A rider takes its lock before it looks for the sleeper, and a sleeper lets go before it looks for riders
-- (wake_up), so one of them sees the other. Locks of a session are counted: none is taken twice.
create or replace function daybook.fall_asleep() returns text
language plpgsql volatile
as $$
declare
  _held text[] := array(
    select l.objid || ' ' || l.mode
      from pg_locks l
     where l.locktype = 'advisory' and l.classid = 1145196366::oid and l.objsubid = 2 and l.pid = pg_backend_pid()
       and l.database = (select d.oid from pg_database d where d.datname = current_database()));
begin
  if '0 ExclusiveLock' = any (_held) then
    return 'asleep';
  end if;

  if not ('1 ShareLock' = any (_held) or pg_try_advisory_lock_shared(1145196366, 1)) then
    -- a sleeper is just looking for riders
    return 'appending';
  end if;

  if pg_try_advisory_lock(1145196366, 0) then
    perform pg_advisory_unlock_shared(1145196366, 1);
    return 'asleep';
  end if;

  if exists (
    select from pg_locks l
     where l.locktype = 'advisory' and l.classid = 1145196366::oid and l.objid = 0 and l.objsubid = 2
       and l.mode = 'ExclusiveLock' and l.granted
       and l.database = (select d.oid from pg_database d where d.datname = current_database())
  ) then
    return 'covered';
  end if;

  perform pg_advisory_unlock_shared(1145196366, 1);
  return 'appending';
end
$$;

comment on function daybook.fall_asleep() is
  'For a session that listens on the channel daybook and has nothing to do. asleep: appends notify from now on. covered: another session sleeps, and appends notify; call again every second, for it may be killed. Both: look once more (pulse), then wait for a notification. appending: an append is in flight, so look again a little later.';
