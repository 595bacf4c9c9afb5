create or replace function daybook.nack(
  route text,
  token uuid,
  error text default null,
  delay interval default null
) returns text
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  _consumer daybook.consumers := daybook._check_receiver(route);
  _lease daybook.outbox_leases;
  _error jsonb := jsonb_build_object('code', 'nack', 'message', coalesce(nack.error, 'refused by the receiver'));
begin
  if delay < interval '0' then
    raise exception using
      errcode = 'YD108',
      message = 'delay is not negative',
      detail = jsonb_build_object('argument', 'delay', 'value', delay),
      hint = 'Leave delay out for the route''s own: base_delay, doubled with each try, up to max_delay.';
  end if;

  perform daybook._enter_route(route, false);
  select o.* into _lease from daybook.outbox_leases o where o.token = nack.token and o.route = nack.route;
  if _lease.attempts >= _consumer.max_attempts then
    perform from daybook.cursors c where c.kind = 'route' and c.name = nack.route and c.shard = 0 for update;
  end if;
  select o.* into _lease from daybook.outbox_leases o where o.token = nack.token and o.route = nack.route for update;
  if not found then
    return 'lost';
  elsif _lease.attempts >= _consumer.max_attempts then
    return daybook._give_up_lease(_consumer, _lease, _error);
  end if;
  update daybook.outbox_leases o
     set token = null,
         due_at = coalesce(clock_timestamp() + delay, daybook._retry_at(_consumer.base_delay, _consumer.max_delay, o.attempts, _error)),
         error = daybook._error(_error, o.position, null)
   where o.tenant_id = _lease.tenant_id and o.route = _lease.route and o.stream_id = _lease.stream_id;
  return 'retry';
end
$$;

comment on function daybook.nack(text, uuid, text, interval) is
  'Says that a received message could not be done, and why. It comes again after delay (the route''s backoff if null), before any later one of its stream. Returns what follows: retry; dead (its tries are used up: a dead letter, and its stream waits for a person), skipped or halted, as the route has it; lost (the lease had ended).';
