-- A transaction that makes a missing partition holds it to itself until it ends. Others do not wait for it: their
-- events are recorded in the last moment of the month before, unless nothing can be recorded there any more.
create or replace function daybook._recordable_at(at timestamptz) returns timestamptz
language plpgsql volatile
as $$
declare
  _at timestamptz := greatest(at, nullif(daybook._writable_from(), 'infinity'));
  _month timestamptz := date_trunc('month', _at, 'UTC');
begin
  if _at < daybook._writable_until() then
    return _at;
  elsif exists (select from daybook.event_partitions p where p.range_from = _month) then
    -- Somebody else may have made it since this transaction opened the log; opening another relation makes it notice.
    perform pg_relation_is_updatable('daybook.every_tenant'::regclass, false);
    return _at;
  elsif pg_try_advisory_xact_lock(1145196364, 0) or daybook._writable_until() <= daybook._writable_from() then
    perform daybook._make_partition(_month);
    return _at;
  else
    return daybook._writable_until() - interval '1 microsecond';
  end if;
end
$$;

comment on function daybook._recordable_at(timestamptz) is
  'The moment an event is recorded at, given the clock: not before what is sealed (a clock can jump back), and in a partition, which is made where it is missing.';
