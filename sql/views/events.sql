create or replace view daybook.events with (security_invoker = true) as
select l.position, l.tenant_id, h.stream_id, l.version, l.category, l.type, l.data, coalesce(l.metadata, '{}') as metadata,
       l.event_id, l.correlation_id, l.causation_id, l.schema_version, l.tags,
       coalesce(l.occurred_at, l.recorded_at) as occurred_at, l.recorded_at
  from daybook.event_log l
  join daybook.stream_heads h on h.stream_key = l.stream_key and h.tenant_id = l.tenant_id;

comment on view daybook.events is 'The events. To follow them without skipping any, use read_all: a later position can become visible first.';
comment on column daybook.events."position" is 'Place in the whole store; gaps are rolled back appends.';
comment on column daybook.events.tenant_id is 'Tenant of the stream.';
comment on column daybook.events.stream_id is 'Name of the stream, <category>-<id>.';
comment on column daybook.events.version is 'Place in the stream, from 1, without holes.';
comment on column daybook.events.category is 'The part of the stream''s name before the first dash.';
comment on column daybook.events.type is 'Name of what happened.';
comment on column daybook.events.data is 'What happened, a JSON object.';
comment on column daybook.events.metadata is 'What the caller says about it, a JSON object kept as given; {} if nothing.';
comment on column daybook.events.event_id is 'Identity of the event, UUIDv7 where the caller gave none.';
comment on column daybook.events.correlation_id is 'The logical operation this event belongs to.';
comment on column daybook.events.causation_id is 'What triggered it: the id of an event or of a command.';
comment on column daybook.events.schema_version is 'Version of the shape of data, from 1.';
comment on column daybook.events.tags is 'Tags the event can be found and decided by, sorted; null = none.';
comment on column daybook.events.occurred_at is 'When the application says it happened; recorded_at where it says nothing.';
comment on column daybook.events.recorded_at is 'The server''s clock at append; never runs backwards within a stream.';
