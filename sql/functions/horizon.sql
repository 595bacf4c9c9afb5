-- Order is everything here: the last value first, then the locks; rows are read in a later statement, up to the lower
-- of the two. The high bits of a lock's position are those that bring it closest to the last value.
create or replace function daybook.horizon() returns bigint
language plpgsql volatile
as $$
declare
  _last bigint;
  _lowest bigint;
begin
  if current_setting('transaction_isolation') not in ('read committed', 'read uncommitted') then
    raise exception using
      errcode = 'YD402',
      message = 'the horizon cannot be read under ' || current_setting('transaction_isolation'),
      detail = jsonb_build_object('isolation', current_setting('transaction_isolation')),
      hint = 'Read the log in a transaction of isolation level READ COMMITTED: an older snapshot would skip events.';
  end if;

  _last := coalesce(pg_sequence_last_value('daybook.positions'::regclass), 0);

  select min(_last + ((l.objid::bigint + 2147483648 - _last + 2147483648) & 4294967295) - 2147483648)
    into _lowest
    from pg_locks l
   where l.locktype = 'advisory'
     and l.classid = 1145196363::oid
     and l.objsubid = 2
     and l.database = (select d.oid from pg_database d where d.datname = current_database());

  -- A transaction that has the log open already does not notice partitions attached since, and would skip what is in
  -- them. Opening another relation makes it notice.
  perform pg_relation_is_updatable('daybook.every_tenant'::regclass, false);

  return greatest(least(_last, _lowest), 0);
end
$$;

comment on function daybook.horizon() is
  'The highest position below which no append is in flight: a reader that goes no further never skips an event. Can come out lower than an earlier one; use the greater. Not meaningful on a standby.';
