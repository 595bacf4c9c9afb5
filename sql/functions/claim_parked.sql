create or replace function daybook.claim_parked(
  kind text,
  name text,
  shard integer,
  shard_count integer,
  max_streams integer default 1
) returns table (tenant_id text, stream_id text, "position" bigint, through bigint, attempts integer)
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  _cursor daybook.cursors;
  _consumer daybook.consumers;
begin
  select c.* into _cursor
    from daybook.cursors c
   where c.kind = claim_parked.kind and c.name = claim_parked.name and c.shard = claim_parked.shard
     for update skip locked;
  select k.* into _consumer from daybook.consumers k where k.kind = claim_parked.kind and k.name = claim_parked.name;
  if not found then
    perform daybook._unknown_consumer(claim_parked.kind, claim_parked.name);
  elsif _cursor.position is null or _consumer.state <> 'running' or _consumer.shard_count is distinct from claim_parked.shard_count
        -- received in SQL: see claim_consumer
        or claim_parked.kind = 'route' and exists (select from daybook.outbox_routes r where r.name = claim_parked.name and r.transport = 'postgres') then
    return;
  end if;
  perform daybook._check_not_narrowed(_consumer.tenant_id);
  perform daybook._consumer_ahead(claim_parked.kind, claim_parked.name, _cursor.position);
  perform daybook._settled(0);

  return query
    select p.tenant_id, p.stream_id, p.position, _cursor.position, p.attempts
      from daybook.parked_streams p
     where p.kind = claim_parked.kind and p.name = claim_parked.name and p.shard = claim_parked.shard
       and (p.retry_at <= clock_timestamp() or (p.retry_at is not null and p.waits_since > clock_timestamp())) and p.position <= _cursor.position
     order by p.retry_at, p.tenant_id, p.stream_id
     limit max_streams;
end
$$;

comment on function daybook.claim_parked(text, text, integer, integer, integer) is
  'Takes a shard until the transaction ends, as claim_consumer does (draining and un-parking exclude each other), and gives its parked streams that are due: the first message of each that is not done, and through, where the shard is: later messages are not of the parked stretch. No row: nothing is due, or the shard is not to be had.';
