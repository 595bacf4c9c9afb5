create or replace view daybook.streams with (security_invoker = true) as
select h.tenant_id, h.stream_id, split_part(h.stream_id, '-', 1) as category, h.version, h.first_recorded_at, h.last_recorded_at
  from daybook.stream_heads h
 where h.version > 0;

comment on view daybook.streams is 'The streams and their versions.';
comment on column daybook.streams.tenant_id is 'Tenant the stream belongs to.';
comment on column daybook.streams.stream_id is 'Name of the stream, <category>-<id>.';
comment on column daybook.streams.category is 'The part of the stream''s name before the first dash.';
comment on column daybook.streams.version is 'Version of its last event.';
comment on column daybook.streams.first_recorded_at is 'No event of it was recorded before this moment.';
comment on column daybook.streams.last_recorded_at is 'No event of it was recorded after this moment.';
