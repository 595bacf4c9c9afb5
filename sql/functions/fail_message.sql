create or replace function daybook.fail_message(
  kind text,
  name text,
  shard integer,
  at_position bigint,
  failed_position bigint,
  stream_id text,
  event_id uuid,
  type text,
  error jsonb,
  shard_count integer default null,
  tenant_id text default null
) returns text
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  _tenant text := daybook._tenant(fail_message.tenant_id);
  _cursor daybook.cursors;
  _consumer daybook.consumers;
  _error jsonb := daybook._error(fail_message.error, failed_position, fail_message.event_id);
  _is_away boolean := coalesce(fail_message.error @> '{"unavailable": true}', false);
  _attempts integer;
begin
  perform daybook._check_failure(failed_position, fail_message.stream_id, fail_message.event_id, fail_message.type);
  select c.* into _cursor
    from daybook.cursors c
   where c.kind = fail_message.kind and c.name = fail_message.name and c.shard = fail_message.shard
     for update;
  select k.* into _consumer from daybook.consumers k where k.kind = fail_message.kind and k.name = fail_message.name;
  -- after another layout has come, the stream may be another shard's, and this shard may have others to do first
  if _cursor.position is distinct from at_position or failed_position <= at_position
     or _consumer.shard_count <> fail_message.shard_count then
    return 'stale';
  elsif _consumer.on_failure = 'park' then
    perform daybook._park(
      _consumer, fail_message.shard, _tenant, fail_message.stream_id, failed_position, fail_message.event_id, fail_message.type, fail_message.error);
    return 'parked';
  elsif _is_away then
    return daybook.postpone(fail_message.kind, fail_message.name, fail_message.shard, at_position, fail_message.error);
  end if;

  _attempts := case when _cursor.failed_position = fail_message.failed_position then _cursor.attempts else 0 end + 1;
  if _attempts >= _consumer.max_attempts and _consumer.on_failure = 'skip' then
    perform daybook._dead_letter(
      fail_message.kind, fail_message.name, _tenant, fail_message.stream_id, failed_position, fail_message.event_id, fail_message.type, _attempts, _error, 'skipped');
    update daybook.cursors c
       set position = fail_message.failed_position, event_id = fail_message.event_id, attempts = 0, postponed = 0, failed_position = null, retry_at = null,
           last_error = null, moved_at = clock_timestamp()
     where c.kind = fail_message.kind and c.name = fail_message.name and c.shard = fail_message.shard;
    return 'skipped';
  end if;

  update daybook.cursors c
     set attempts = _attempts, postponed = 0, failed_position = fail_message.failed_position, last_error = _error,
         retry_at = daybook._retry_at(_consumer.base_delay, _consumer.max_delay, _attempts, fail_message.error)
   where c.kind = fail_message.kind and c.name = fail_message.name and c.shard = fail_message.shard;
  if _attempts >= _consumer.max_attempts then
    update daybook.consumers k
       set state = 'halted', state_reason = left(format('position %s failed %s: %s', failed_position, case _attempts when 1 then 'once' else _attempts || ' times' end, _error ->> 'message'), 1000),
           changed_at = now()
     where k.kind = fail_message.kind and k.name = fail_message.name and k.state = 'running';
    return 'halted';
  end if;
  return 'retry';
end
$$;

comment on function daybook.fail_message(text, text, integer, bigint, bigint, text, uuid, text, jsonb, integer, text) is
  'Says that a message failed, after what it did was rolled back; what lies before it in its stream (and, unless streams are parked, in the shard) must be done. Returns what follows: retry (later), parked (its stream waits), halted, skipped (dead letter), stale (the shard is not at at_position, or there are not shard_count of them any more: nothing was written). With {"unavailable": true} in error the other side took nothing, and the message is not at fault: no try is used up, its stream is parked or the shard waits.';
