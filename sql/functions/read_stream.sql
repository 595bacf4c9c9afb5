create or replace function daybook.read_stream(
  stream_id text,
  from_version bigint default null,
  max_count integer default 1000,
  backwards boolean default false,
  tenant_id text default null
) returns setof daybook.event
language plpgsql stable
set enable_seqscan = off
set jit = off
set enable_bitmapscan = off
as $$
declare
  _tenant text := daybook._tenant(read_stream.tenant_id);
  _head daybook.stream_heads;
begin
  -- as horizon does: notice partitions attached since this transaction opened the log
  perform pg_relation_is_updatable('daybook.every_tenant'::regclass, false);
  perform daybook._check_count(max_count, coalesce(from_version, 0));
  select h.* into _head from daybook.stream_heads h where h.tenant_id = _tenant and h.stream_id = read_stream.stream_id;
  if not found then
    return;
  elsif backwards then
    return query
      select l.position, l.tenant_id, _head.stream_id, l.version, l.category, l.type, l.data, coalesce(l.metadata, '{}'),
             l.event_id, l.correlation_id, l.causation_id, l.schema_version, l.tags, coalesce(l.occurred_at, l.recorded_at), l.recorded_at
        from daybook.event_log l
       where l.stream_key = _head.stream_key
         and l.version <= least(from_version, _head.version)
         and l.recorded_at between _head.first_recorded_at and _head.last_recorded_at
       order by l.version desc
       limit max_count;
  else
    return query
      select l.position, l.tenant_id, _head.stream_id, l.version, l.category, l.type, l.data, coalesce(l.metadata, '{}'),
             l.event_id, l.correlation_id, l.causation_id, l.schema_version, l.tags, coalesce(l.occurred_at, l.recorded_at), l.recorded_at
        from daybook.event_log l
       where l.stream_key = _head.stream_key
         and l.version between coalesce(from_version, 1) and _head.version
         and l.recorded_at between _head.first_recorded_at and _head.last_recorded_at
       order by l.version
       limit max_count;
  end if;
end
$$;

comment on function daybook.read_stream(text, bigint, integer, boolean, text) is
  'Events of one stream in order of version, from a version on (default: the first), or backwards from a version (default: the last). Reads only the partitions that can hold the stream.';
