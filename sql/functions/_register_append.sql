-- The rule readers rest on (see horizon): before an append draws a position it holds this lock on the last value read
-- before. Every position it draws is greater, so a reader that sees the lock stops below them, and a reader that came
-- too early for the lock has read a last value below them.
-- A transaction without an id has written nothing, so it is not registered yet: the usual case, decided without a mark.
create or replace function daybook._register_append() returns boolean
language sql volatile
as $$
  select case
  when pg_catalog.pg_current_xact_id_if_assigned() is null then
    pg_catalog.pg_advisory_xact_lock_shared(
      1145196363,
      daybook._position_lock(coalesce(pg_catalog.pg_sequence_last_value('daybook.positions'::regclass), 0)))
  else
    daybook._register_append_again()
  end is not null and daybook._wake()
$$;

comment on function daybook._register_append() is
  'Registers the transaction as an append in flight, before it draws positions, and has sleepers hear of it. Released by its end, or by the rollback of the savepoint it happened in.';
