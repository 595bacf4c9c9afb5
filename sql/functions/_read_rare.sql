create or replace function daybook._read_rare(
  consumer daybook.consumers,
  after_position bigint,
  horizon bigint,
  max_count integer,
  shard integer,
  shard_count integer,
  has_parked boolean,
  recorded_from timestamptz
) returns setof daybook.event
language plpgsql stable
set enable_seqscan = off
set jit = off
set enable_bitmapscan = off
as $$
declare
  _tenants text[] := case when consumer.tenant_id is not null then array[consumer.tenant_id] end;
  _found bigint[] := array(
    select p.position
      from daybook._kinds(_tenants, consumer.categories, consumer.types) k
     cross join lateral (
       select l.position
         from daybook.event_log l
        where (l.tenant_id, l.category, l.type, l.position) > (k.tenant_id, k.category, k.type, after_position)
          and (l.tenant_id, l.category, l.type, l.position) <= (k.tenant_id, k.category, k.type, _read_rare.horizon)
          and l.recorded_at >= recorded_from
          and (shard_count = 1 or (hashint8(l.stream_key) & 2147483647) % shard_count = _read_rare.shard)
          and (not has_parked or not exists (
                select from daybook.parked_streams p
                 where p.kind = (consumer).kind and p.name = (consumer).name and p.stream_key = l.stream_key and p.tenant_id = l.tenant_id))
        order by l.tenant_id, l.category, l.type, l.position
        limit max_count) p
     order by p.position
     limit max_count);
begin
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

comment on function daybook._read_rare(daybook.consumers, bigint, bigint, integer, integer, integer, boolean, timestamptz) is
  'What read_events_for finds behind its stretch: positions first, by kind, then the events.';
