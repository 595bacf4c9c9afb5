-- What horizon does besides: refuse an older snapshot, and notice partitions attached since this transaction opened the log.
create or replace function daybook._settled(horizon bigint) returns bigint
language plpgsql volatile
as $$
begin
  if _settled.horizon is null or current_setting('transaction_isolation') not in ('read committed', 'read uncommitted') then
    return daybook.horizon();
  end if;
  perform pg_relation_is_updatable('daybook.every_tenant'::regclass, false);
  return least(_settled.horizon, coalesce(pg_sequence_last_value('daybook.positions'::regclass), 0));
end
$$;

comment on function daybook._settled(bigint) is 'A horizon that is known already, made ready to be read up to; the current one for null. Raises YD402.';
