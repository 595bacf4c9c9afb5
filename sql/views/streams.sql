create or replace view daybook.streams with (security_invoker = true) as
select h.tenant_id, h.stream_id, split_part(h.stream_id, '-', 1) as category, h.version, h.first_recorded_at, h.last_recorded_at
  from daybook.stream_heads h
 where h.version > 0;

comment on view daybook.streams is 'The streams and their versions.';
