-- First a stretch of the log as it comes: enough where what is asked for is frequent. Then, for what is rare, an index
-- walk per tenant, category and type, which reads no event that does not match. (Bounds and order are those of the
-- index: asked for equal kinds in order of position, the planner may well walk through all positions instead.)
create or replace function daybook._read_filtered(
  after_position bigint,
  max_count integer,
  types text[],
  categories text[],
  tenants text[],
  horizon bigint,
  recorded_from timestamptz
) returns setof daybook.event
language plpgsql stable
set enable_seqscan = off
set jit = off
set enable_bitmapscan = off
as $$
declare
  _found bigint[];
  _until bigint := least(horizon, after_position + greatest(1000, 8 * max_count));
  _rest bigint[];
begin
  _found := array(
    select l.position
      from daybook.event_log l
     where l.position > after_position and l.position <= _until
       and l.recorded_at >= recorded_from
       and (types is null or l.type = any (types))
       and (categories is null or l.category = any (categories))
       and (tenants is null or l.tenant_id = any (tenants))
     order by l.position
     limit max_count);

  if cardinality(_found) < max_count and _until < horizon then
    _rest := array(
      select p.position
        from daybook._kinds(tenants, categories, types) k
       cross join lateral (
         select l.position
           from daybook.event_log l
          where (l.tenant_id, l.category, l.type, l.position) > (k.tenant_id, k.category, k.type, _until)
            and (l.tenant_id, l.category, l.type, l.position) <= (k.tenant_id, k.category, k.type, _read_filtered.horizon)
            and l.recorded_at >= recorded_from
          order by l.tenant_id, l.category, l.type, l.position
          limit max_count - cardinality(_found)) p
       order by p.position
       limit max_count - cardinality(_found));
    _found := _found || _rest;
  end if;

  return query
    select l.position, l.tenant_id,
           (select h.stream_id from daybook.stream_heads h where h.stream_key = l.stream_key and h.tenant_id = l.tenant_id),
           l.version, l.category, l.type, l.data, coalesce(l.metadata, '{}'), l.event_id, l.correlation_id, l.causation_id,
           l.schema_version, l.tags, coalesce(l.occurred_at, l.recorded_at), l.recorded_at
      from daybook.event_log l
     where l.position = any (_found) and l.recorded_at >= recorded_from
     order by l.position;
end
$$;

comment on function daybook._read_filtered(bigint, integer, text[], text[], text[], bigint, timestamptz) is 'read_all with filters: positions first, then the events.';
