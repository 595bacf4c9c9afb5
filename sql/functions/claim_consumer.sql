-- Locked first, then looked at, each in a statement of its own: whoever pauses a consumer or changes its shards holds the
-- locks of its cursors, so what they have committed is seen here.
create or replace function daybook.claim_consumer(
  kind text,
  name text,
  shard integer,
  shard_count integer,
  known_horizon bigint default null
) returns table ("position" bigint, horizon bigint, types text[], categories text[], tenant_id text, on_failure text, has_parked boolean, attempts integer)
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  _cursor daybook.cursors;
  _consumer daybook.consumers;
  _horizon bigint;
  _most bigint;
begin
  select c.* into _cursor
    from daybook.cursors c
   where c.kind = claim_consumer.kind and c.name = claim_consumer.name and c.shard = claim_consumer.shard
     for update skip locked;
  select k.* into _consumer from daybook.consumers k where k.kind = claim_consumer.kind and k.name = claim_consumer.name;
  if not found then
    perform daybook._unknown_consumer(claim_consumer.kind, claim_consumer.name);
  elsif _cursor.position is null or _consumer.state <> 'running' or _consumer.shard_count is distinct from claim_consumer.shard_count
        or not daybook._is_due(_cursor.retry_at, (_cursor.last_error ->> 'at')::timestamptz)
        -- received in SQL by now: a drain knows nothing of leases, and would send what comes behind a leased message
        or claim_consumer.kind = 'route' and exists (select from daybook.outbox_routes r where r.name = claim_consumer.name and r.transport = 'postgres') then
    return;
  end if;
  perform daybook._check_not_narrowed(_consumer.tenant_id);
  perform daybook._consumer_ahead(claim_consumer.kind, claim_consumer.name, _cursor.position);

  _horizon := daybook._settled(known_horizon);
  if _consumer.wanted_shards <> _consumer.shard_count then
    _most := (select max(c.position) from daybook.cursors c where c.kind = claim_consumer.kind and c.name = claim_consumer.name);
    if _cursor.position = _most then
      perform daybook._change_shards(claim_consumer.kind, claim_consumer.name);
      return;
    end if;
    _horizon := least(_horizon, _most);
  end if;

  if _cursor.position < _horizon then
    return query select
      _cursor.position, _horizon, _consumer.types, _consumer.categories, _consumer.tenant_id, _consumer.on_failure,
      exists (select from daybook.parked_streams p
               where p.kind = claim_consumer.kind and p.name = claim_consumer.name and p.shard = claim_consumer.shard),
      _cursor.attempts;
  end if;
end
$$;

comment on function daybook.claim_consumer(text, text, integer, integer, bigint) is
  'Takes a shard of a handler or route (or a projection in TypeScript) until the transaction ends: where it is, up to where it may go (known_horizon, or the current one), and what it follows. No row: somebody else has it, it is paused, halted or not due, its layout is another, or there is nothing to do; commit then too. Raises YD403 where the position lies beyond the end of the log, YD501, YD402, and YD202 in a narrowed session.';
