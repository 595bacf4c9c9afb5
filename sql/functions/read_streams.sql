create or replace function daybook.read_streams(
  reads jsonb,
  max_count integer default 1000,
  tenant_id text default null
) returns table (stream_id text, stream_version bigint, event daybook.event)
language plpgsql stable
set enable_seqscan = off
set jit = off
set enable_bitmapscan = off
as $$
declare
  _tenant text := daybook._tenant(read_streams.tenant_id);
begin
  -- as horizon does: notice partitions attached since this transaction opened the log
  perform pg_relation_is_updatable('daybook.every_tenant'::regclass, false);
  perform daybook._check_count(max_count);
  perform daybook._check_reads(reads);
  return query
    select r.stream_id, coalesce(h.version, 0), e.event
      from (select coalesce(v.value ->> 'stream_id', v.value #>> '{}') as stream_id,
                   coalesce((v.value ->> 'from_version')::bigint, 1) as from_version, v.ordinality
              from jsonb_array_elements(reads) with ordinality v) r
      -- one by one: on a young table the planner would go through all of them
      left join lateral (
        select h.* from daybook.stream_heads h where h.tenant_id = _tenant and h.stream_id = r.stream_id limit 1) h on true
      left join lateral (
        select (l.position, l.tenant_id, h.stream_id, l.version, l.category, l.type, l.data, coalesce(l.metadata, '{}'), l.event_id,
                l.correlation_id, l.causation_id, l.schema_version, l.tags, coalesce(l.occurred_at, l.recorded_at),
                l.recorded_at)::daybook.event as event
          from daybook.event_log l
         where l.stream_key = h.stream_key
           and l.version between r.from_version and h.version
           and l.recorded_at between h.first_recorded_at and h.last_recorded_at
         order by l.version
         limit max_count) e on true
     order by r.ordinality, (e.event).version;
end
$$;

comment on function daybook.read_streams(jsonb, integer, text) is
  'Several streams and their versions, all as of one moment: ["account-1", {"stream_id": "account-2", "from_version": 5}]. At most max_count events each; one row with event null for a stream that has none to give.';
