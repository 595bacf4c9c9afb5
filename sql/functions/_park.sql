create or replace function daybook._park(
  consumer daybook.consumers,
  shard integer,
  tenant_id text,
  stream_id text,
  "position" bigint,
  event_id uuid,
  type text,
  error jsonb
) returns void
language plpgsql volatile
as $$
declare
  _is_away boolean := coalesce(_park.error @> '{"unavailable": true}', false);
  _is_dead boolean := consumer.max_attempts = 1 and not _is_away;
begin
  insert into daybook.parked_streams (tenant_id, kind, name, stream_id, stream_key, shard, position, attempts, postponed, retry_at, error)
  values (
    _park.tenant_id, consumer.kind, consumer.name, _park.stream_id,
    case when consumer.kind <> 'route' then (
      select h.stream_key from daybook.stream_heads h where h.tenant_id = _park.tenant_id and h.stream_id = _park.stream_id) end,
    _park.shard, _park."position", 1 - _is_away::integer, _is_away::integer,
    case when not _is_dead then daybook._retry_at(consumer.base_delay, consumer.max_delay, 1, _park.error) end,
    daybook._error(_park.error, _park."position", _park.event_id))
      on conflict on constraint parked_streams_pkey do nothing;
  if found and _is_dead then
    perform daybook._dead_letter(
      consumer.kind, consumer.name, _park.tenant_id, _park.stream_id, _park."position", _park.event_id, _park.type, 1,
      daybook._error(_park.error, _park."position", _park.event_id), 'waiting');
  end if;
end
$$;

comment on function daybook._park(daybook.consumers, integer, text, text, bigint, uuid, text, jsonb) is
  'Parks a stream for a consumer behind a message that failed for the first time, or (error.unavailable) that the other side was not there to take: that is no failed try. One that is parked already stays as it is.';
