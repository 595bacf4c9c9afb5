create or replace function daybook.upkeep() returns table (task text, result text)
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  return query select 'partition made', p from daybook.ensure_partitions() p;
  return query select 'partition sealed', p from daybook.seal_partitions() p;
  return query select 'idempotency keys forgotten', n::text from daybook.forget_idempotency_keys() n where n > 0;
  return query select 'delivered messages forgotten', n::text from daybook.forget_delivered() n where n > 0;
  return query select 'old versions of projections dropped', n::text from daybook._drop_retired() n where n > 0;
  return query select 'processed messages forgotten', n::text from daybook.forget_processed_messages() n where n > 0;
  return query select 'snapshots forgotten', n::text from daybook._forget_outdated_snapshots() n where n > 0;
  begin
    return query
      select case when s.error is null then 'snapshots taken' else 'snapshots failed' end,
             format('%s of %s', count(*), s.reducer_name) || coalesce(', such as: ' || min(s.error ->> 'message'), '')
        from daybook.take_snapshots(max_streams => 1000) s
       group by s.reducer_name, s.error is null;
  exception when others then
    -- reducers are not Daybook's, and all else has to be done
    return query select 'snapshots failed', sqlerrm;
  end;
end
$$;

comment on function daybook.upkeep() is
  'What has to be done now and then (hourly is plenty): partitions ahead, sealing of past ones, old idempotency keys, delivered messages of the outbox, what process_once remembers, old versions of projections, snapshots that are due and outdated ones. Returns what it did.';
