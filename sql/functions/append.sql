create or replace function daybook.append(
  stream_id text,
  events jsonb,
  expected_version bigint default null,
  idempotency_key text default null,
  tenant_id text default null
) returns daybook.append_result
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  _event jsonb := case when jsonb_typeof(events) = 'array' and jsonb_array_length(events) = 1 then events -> 0 end;
begin
  if _event is not null and daybook._event_problem(_event) is null then
    return daybook.append_event(
      append.stream_id, _event ->> 'type', coalesce(_event -> 'data', '{}'), coalesce(_event -> 'metadata', '{}'),
      append.expected_version, (_event ->> 'event_id')::uuid, (_event ->> 'correlation_id')::uuid, (_event ->> 'causation_id')::uuid,
      case when _event ? 'tags' then daybook._tags(_event -> 'tags') end, coalesce((_event ->> 'schema_version')::integer, 1),
      (_event ->> 'occurred_at')::timestamptz, append.idempotency_key, append.tenant_id);
  end if;
  return daybook._append(append.stream_id, append.events, append.expected_version, append.idempotency_key, append.tenant_id);
end
$$;

comment on function daybook.append(text, jsonb, bigint, text, text) is
  'Appends events to a stream, all or none. An event is {"type", "data", "metadata"?, "event_id"?, "schema_version"?, "occurred_at"?, "tags"?, "correlation_id"?, "causation_id"?}. Expected version: null any, 0 must not exist, n exactly n, -1 must exist (YD001 otherwise). The same idempotency key returns the first result and writes nothing.';
