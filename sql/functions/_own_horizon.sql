-- What this transaction has appended itself is there for it, and commits with the position that is moved past it; so of the
-- registrations that horizon looks at, its own do not count. A prepared transaction has no pid, and counts.
create or replace function daybook._own_horizon() returns bigint
language plpgsql volatile
as $$
declare
  _last bigint;
  _lowest bigint;
begin
  if current_setting('transaction_isolation') not in ('read committed', 'read uncommitted') then
    return daybook.horizon();
  end if;

  _last := coalesce(pg_sequence_last_value('daybook.positions'::regclass), 0);

  select min(_last + ((l.objid::bigint + 2147483648 - _last + 2147483648) & 4294967295) - 2147483648)
    into _lowest
    from pg_locks l
   where l.locktype = 'advisory'
     and l.classid = 1145196363::oid
     and l.objsubid = 2
     and l.database = (select d.oid from pg_database d where d.datname = current_database())
     and l.pid is distinct from pg_backend_pid();

  perform pg_relation_is_updatable('daybook.every_tenant'::regclass, false);

  return greatest(least(_last, _lowest), 0);
end
$$;

comment on function daybook._own_horizon() is
  'The horizon for an effect that commits with this transaction: appends of its own do not hold it back. Raises YD402.';
