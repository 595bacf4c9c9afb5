-- A stream is parked under the lock of the route's cursor: see _pull_leases.
create or replace function daybook._give_up_lease(consumer daybook.consumers, lease daybook.outbox_leases, error jsonb) returns text
language plpgsql volatile
as $$
declare
  _message daybook.outbox_log;
  _error jsonb;
begin
  select l.* into _message from daybook.outbox_log l where l.route = lease.route and l.position = lease.position and l.tenant_id = lease.tenant_id;
  _error := daybook._error(error, lease.position, _message.message_id);

  if consumer.on_failure = 'halt' then
    update daybook.outbox_leases o set token = null, attempts = 0, due_at = '-infinity', error = _error
     where o.tenant_id = lease.tenant_id and o.route = lease.route and o.stream_id = lease.stream_id;
    update daybook.consumers c
       set state = 'halted', changed_at = clock_timestamp(),
           state_reason = left(format('position %s failed %s: %s', lease.position, case lease.attempts when 1 then 'once' else lease.attempts || ' times' end, _error ->> 'message'), 1000)
     where c.kind = 'route' and c.name = lease.route and c.state = 'running';
    return 'halted';
  end if;

  perform daybook._dead_letter(
    'route', lease.route, lease.tenant_id, lease.stream_id, lease.position, _message.message_id, _message.type, lease.attempts, _error,
    case consumer.on_failure when 'skip' then 'skipped' else 'waiting' end);
  if consumer.on_failure = 'skip' then
    update daybook.outbox_leases o set position = o.position + 1, token = null, attempts = 0, due_at = '-infinity', error = null
     where o.tenant_id = lease.tenant_id and o.route = lease.route and o.stream_id = lease.stream_id;
    return 'skipped';
  end if;
  delete from daybook.outbox_leases o where o.tenant_id = lease.tenant_id and o.route = lease.route and o.stream_id = lease.stream_id;
  insert into daybook.parked_streams (tenant_id, kind, name, stream_id, shard, position, attempts, retry_at, error)
  values (lease.tenant_id, 'route', lease.route, lease.stream_id, 0, lease.position, lease.attempts, null, _error);
  return 'dead';
end
$$;

comment on function daybook._give_up_lease(daybook.consumers, daybook.outbox_leases, jsonb) is
  'What follows when a received message has used up its tries: dead (parked, a dead letter), skipped or halted, as the route has it.';
