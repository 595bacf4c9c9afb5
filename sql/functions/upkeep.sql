create or replace function daybook.upkeep() returns table (task text, result text)
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  return query select 'partition made', p from daybook.ensure_partitions() p;
  return query select 'partition sealed', p from daybook.seal_partitions() p;
  return query select 'idempotency keys forgotten', n::text from daybook.forget_idempotency_keys() n where n > 0;
  return query select 'delivered messages forgotten', n::text from daybook.forget_delivered() n where n > 0;
  return query select 'processed messages forgotten', n::text from daybook.forget_processed_messages() n where n > 0;
end
$$;

comment on function daybook.upkeep() is
  'What has to be done now and then (hourly is plenty): partitions ahead, sealing of past ones, old idempotency keys, delivered messages of the outbox, what process_once remembers. Returns what it did.';
