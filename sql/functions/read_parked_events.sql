create or replace function daybook.read_parked_events(
  name text,
  stream_id text,
  from_position bigint,
  through bigint,
  max_count integer default 500,
  kind text default 'handler',
  tenant_id text default null
) returns setof daybook.event
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
set enable_seqscan = off
set jit = off
set enable_bitmapscan = off
as $$
declare
  _tenant text := daybook._tenant(read_parked_events.tenant_id);
  _consumer daybook.consumers;
  _head daybook.stream_heads;
begin
  perform daybook._check_count(max_count, from_position);
  select k.* into _consumer from daybook.consumers k where k.kind = read_parked_events.kind and k.name = read_parked_events.name;
  if not found then
    perform daybook._unknown_consumer(read_parked_events.kind, read_parked_events.name);
  end if;
  select h.* into _head from daybook.stream_heads h where h.tenant_id = _tenant and h.stream_id = read_parked_events.stream_id;

  return query
    select l.position, l.tenant_id, _head.stream_id, l.version, l.category, l.type, l.data, coalesce(l.metadata, '{}'),
           l.event_id, l.correlation_id, l.causation_id, l.schema_version, l.tags, coalesce(l.occurred_at, l.recorded_at), l.recorded_at
      from daybook.event_log l
     where l.stream_key = _head.stream_key
       and l.version >= coalesce(daybook._version_at(_head, from_position), 1)
       and l.recorded_at between _head.first_recorded_at and _head.last_recorded_at
       and l.position between from_position and through
       and (_consumer.types is null or l.type = any (_consumer.types))
       and (_consumer.categories is null or l.category = any (_consumer.categories))
     order by l.version
     limit max_count;
end
$$;

comment on function daybook.read_parked_events(text, text, bigint, bigint, integer, text, text) is
  'Events of a stream that is parked for a handler (or a projection: kind), in order, from the first that is not done (inclusive) up to where the shard is. Fewer than max_count: there are no more.';
