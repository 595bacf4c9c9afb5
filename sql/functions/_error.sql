create or replace function daybook._error(error jsonb, "position" bigint, event_id uuid) returns jsonb
language sql volatile
as $$
  select case jsonb_typeof(error) when 'object' then error else jsonb_build_object('message', coalesce(error #>> '{}', 'unknown')) end
      || jsonb_build_object('position', _error."position", 'event_id', _error.event_id, 'at', clock_timestamp())
$$;

comment on function daybook._error(jsonb, bigint, uuid) is 'A failure as it is kept: what the drain says of it, and which message it was and when.';
