-- The streams that were not tried come before this one the next time: one that is never taken does not keep them waiting.
create or replace function daybook._postpone_parked(
  consumer daybook.consumers,
  parked daybook.parked_streams,
  told jsonb,
  error jsonb
) returns void
language plpgsql volatile
as $$
declare
  _others timestamptz := daybook._retry_at(consumer.base_delay, consumer.max_delay, 1, told);
begin
  update daybook.parked_streams p
     set retry_at = _others, waits_since = clock_timestamp()
   where p.kind = consumer.kind and p.name = consumer.name and p.shard = parked.shard and p.retry_at < _others;
  update daybook.parked_streams p
     set postponed = p.postponed + 1, error = _postpone_parked.error, waits_since = clock_timestamp(),
         retry_at = greatest(daybook._retry_at(consumer.base_delay, consumer.max_delay, p.postponed + 1, told), _others + interval '1 millisecond')
   where p.tenant_id = parked.tenant_id and p.kind = consumer.kind and p.name = consumer.name and p.stream_id = parked.stream_id;
end
$$;

comment on function daybook._postpone_parked(daybook.consumers, daybook.parked_streams, jsonb, jsonb) is
  'Has a parked stream wait, with growing delays, because what it is sent to takes nothing now; the other parked streams of its shard that are due wait for the base delay.';
