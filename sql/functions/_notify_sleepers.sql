create or replace function daybook._notify_sleepers() returns boolean
language sql volatile
as $$
  select pg_catalog.pg_notify('daybook', '') is not null
$$;

comment on function daybook._notify_sleepers() is
  'Wakes whoever sleeps (fall_asleep), when the transaction commits. Always true.';
