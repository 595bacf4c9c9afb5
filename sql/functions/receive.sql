-- The position of the route moves on as soon as streams have a row in outbox_leases: "done with, or with a stream that is
-- leased or parked". Whoever holds the cursor moves it; the others hand out what has been moved over.
create or replace function daybook.receive(
  route text,
  max_count integer default 1,
  lease interval default '30 seconds',
  consumer text default null
) returns table (
  token uuid, "position" bigint, tenant_id text, message_id uuid, stream_id text, version bigint, topic text, type text, type_version integer,
  data jsonb, metadata jsonb, correlation_id uuid, causation_id uuid, occurred_at timestamptz, written_at timestamptz, attempts integer)
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  _consumer daybook.consumers := daybook._check_receiver(route);
  _horizon bigint;
  _through bigint;
  _is_locked boolean;
  _lease daybook.outbox_leases;
  _given integer := 0;
begin
  perform daybook._check_lease(max_count, lease, consumer);
  perform daybook._enter_route(route, false);
  _horizon := daybook.horizon();
  select c.position into _through from daybook.cursors c where c.kind = 'route' and c.name = receive.route and c.shard = 0 for update skip locked;
  _is_locked := found;
  -- locked first, then looked at: whoever pauses the route holds its cursor
  _consumer := daybook._check_receiver(route);
  if _consumer.state <> 'running' then
    return;
  end if;

  if _is_locked then
    perform daybook._consumer_ahead('route', receive.route, _through);
    _through := daybook._prepare_leases(receive.route, _through, _horizon, max_count);
  else
    select c.position into _through from daybook.cursors c where c.kind = 'route' and c.name = receive.route and c.shard = 0;
  end if;

  for _lease in
    select o.* from daybook.outbox_leases o
     where o.route = receive.route and (o.due_at <= clock_timestamp() or o.leased_at > clock_timestamp())
     order by o.position
  loop
    _lease := daybook._take_lease(_consumer, _lease, _through, _is_locked, clock_timestamp() + receive.lease, receive.consumer);
    continue when _lease.token is null;
    return query
      select _lease.token, l.position, l.tenant_id, l.message_id, l.stream_id, l.version, l.topic, l.type, l.type_version, l.data,
             coalesce(l.metadata, '{}'), l.correlation_id, l.causation_id, l.occurred_at, l.written_at, _lease.attempts
        from daybook.outbox_log l
       where l.route = receive.route and l.position = _lease.position and l.tenant_id = _lease.tenant_id;
    _given := _given + 1;
    exit when _given = max_count;
  end loop;
end
$$;

comment on function daybook.receive(text, integer, interval, text) is
  'The next messages of a route of transport postgres, at most one of each stream: they are leased, and nobody else gets one of these streams before ack, nack or the end of the lease. Call it in a transaction of its own: others get little while it is open. Messages come at least once; after max_attempts their stream is parked.';
