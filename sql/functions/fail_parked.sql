create or replace function daybook.fail_parked(
  kind text,
  name text,
  stream_id text,
  failed_position bigint,
  event_id uuid,
  type text,
  error jsonb,
  tenant_id text default null
) returns text
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  _tenant text := daybook._tenant(fail_parked.tenant_id);
  _consumer daybook.consumers;
  _parked daybook.parked_streams;
  _error jsonb := daybook._error(fail_parked.error, failed_position, fail_parked.event_id);
  _is_away boolean := coalesce(fail_parked.error @> '{"unavailable": true}', false);
  _is_dead boolean;
begin
  perform daybook._check_failure(failed_position, fail_parked.stream_id, fail_parked.event_id, fail_parked.type);
  _parked := daybook._lock_parked(fail_parked.kind, fail_parked.name, fail_parked.stream_id, _tenant);
  select k.* into _consumer from daybook.consumers k where k.kind = fail_parked.kind and k.name = fail_parked.name;
  if failed_position is distinct from _parked.position or _parked.retry_at is null then
    return 'stale';
  elsif _is_away then
    perform daybook._postpone_parked(_consumer, _parked, fail_parked.error, _error);
    return 'retry';
  end if;

  _is_dead := _parked.attempts + 1 >= _consumer.max_attempts;
  update daybook.parked_streams p
     set attempts = p.attempts + 1, postponed = 0, error = _error, waits_since = clock_timestamp(),
         retry_at = case when not _is_dead then daybook._retry_at(_consumer.base_delay, _consumer.max_delay, p.attempts + 1, fail_parked.error) end
   where p.tenant_id = _tenant and p.kind = fail_parked.kind and p.name = fail_parked.name and p.stream_id = fail_parked.stream_id;
  if not _is_dead then
    return 'retry';
  end if;
  perform daybook._dead_letter(
    fail_parked.kind, fail_parked.name, _tenant, fail_parked.stream_id, failed_position, fail_parked.event_id, fail_parked.type,
    _parked.attempts + 1, _error, 'waiting');
  return 'dead';
end
$$;

comment on function daybook.fail_parked(text, text, text, bigint, uuid, text, jsonb, text) is
  'Says that the first message of a parked stream failed again, after what it did was rolled back. Returns what follows: retry (later), dead (its tries are used up: a dead letter, and the stream waits for a person), stale (the stream is not parked there: nothing was written). With {"unavailable": true} in error the other side took nothing: no try is used up, and the other parked streams of the shard wait for a while too.';
