-- One lock a transaction, however many appends it makes: the key is kept in a setting that ends with the transaction
-- and goes back with a savepoint. The setting is a hint and no proof: the lock is taken every time (taking a lock
-- that is held costs no room in the lock table), and only on a key that is true for what is drawn from here on,
-- whatever anybody has written into the setting.
create or replace function daybook._register_append_again() returns void
language plpgsql volatile
as $$
declare
  _last bigint := coalesce(pg_sequence_last_value('daybook.positions'::regclass), 0);
  _hint text := current_setting('daybook.registered', true);
  _key bigint := _last;
begin
  if _hint ~ '^[0-9]{1,18}$' and _hint::bigint between _last - 2147483647 and _last then
    _key := _hint::bigint;
  else
    perform set_config('daybook.registered', _last::text, true);
  end if;
  perform pg_advisory_xact_lock_shared(1145196363, daybook._position_lock(_key));
end
$$;

comment on function daybook._register_append_again() is
  'Registers an append of a transaction that has written before, on the same key as its earlier appends where it knows it.';
