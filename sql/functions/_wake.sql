-- The shared form of the sleepers' lock: got = nobody sleeps, and nobody falls asleep before this transaction has ended;
-- not got = somebody sleeps, and hears of it when this transaction commits. The lock ends with its session and is seen
-- whatever the snapshot, so neither a killed sleeper nor an old snapshot can lose a wake-up.
-- A string body and no checks, so that it becomes part of the append's own expression.
create or replace function daybook._wake() returns boolean
language sql volatile
as $$
  select pg_catalog.pg_try_advisory_xact_lock_shared(1145196366, 0)
      or coalesce(pg_catalog.current_setting('daybook.wake', true), '') = 'off'
      or daybook._notify_sleepers()
$$;

comment on function daybook._wake() is
  'Sees to it that whoever sleeps hears of this transaction when it commits; notifies only where somebody sleeps. With the setting daybook.wake = off it never notifies: for transactions that are to be prepared (two-phase commit), which may not.';
