create or replace view daybook.events with (security_invoker = true) as
select l.position, l.tenant_id, h.stream_id, l.version, l.category, l.type, l.data, coalesce(l.metadata, '{}') as metadata,
       l.event_id, l.correlation_id, l.causation_id, l.schema_version, l.tags,
       coalesce(l.occurred_at, l.recorded_at) as occurred_at, l.recorded_at
  from daybook.event_log l
  join daybook.stream_heads h on h.stream_key = l.stream_key and h.tenant_id = l.tenant_id;

comment on view daybook.events is 'The events. To follow them without skipping any, use read_all: a later position can become visible first.';
