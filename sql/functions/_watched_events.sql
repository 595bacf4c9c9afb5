create or replace function daybook._watched_events(head daybook.stream_heads, through bigint, recorded_at timestamptz) returns daybook.event[]
language sql volatile
set enable_seqscan = off
set jit = off
as $$
  select array(
    select row(l.position, l.tenant_id, (head).stream_id, l.version, l.category, l.type, l.data, coalesce(l.metadata, '{}'), l.event_id,
               l.correlation_id, l.causation_id, l.schema_version, l.tags, coalesce(l.occurred_at, l.recorded_at), l.recorded_at)::daybook.event
      from daybook.event_log l
     where l.stream_key = (head).stream_key
       and l.version > (head).version and l.version <= through
       and l.recorded_at = _watched_events.recorded_at
       and daybook._watched(l.tenant_id, l.category, l.type)
     order by l.version)
$$;

comment on function daybook._watched_events(daybook.stream_heads, bigint, timestamptz) is
  'Of the events that a call has just written behind a stream, those that something else happens for (_on_append).';
