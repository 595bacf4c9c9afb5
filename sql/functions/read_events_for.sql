-- A stretch of the log as it comes: enough where what is followed is frequent. Behind it, for what is rare, an index walk per
-- tenant, category and type that reads nothing that does not match (see _read_filtered).
create or replace function daybook.read_events_for(
  name text,
  "position" bigint,
  horizon bigint,
  max_count integer default 500,
  shard integer default 0,
  shard_count integer default 1,
  kind text default 'handler'
) returns setof daybook.event
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
set enable_seqscan = off
set jit = off
set enable_bitmapscan = off
as $$
declare
  _consumer daybook.consumers;
  _from timestamptz := daybook._read_from("position");
  _is_filtered boolean;
  _has_parked boolean;
  _until bigint;
  _found bigint;
begin
  perform daybook._check_count(max_count, "position");
  select k.* into _consumer from daybook.consumers k where k.kind = read_events_for.kind and k.name = read_events_for.name;
  if not found then
    perform daybook._unknown_consumer(read_events_for.kind, read_events_for.name);
  end if;
  perform daybook._check_not_narrowed(_consumer.tenant_id);
  _is_filtered := _consumer.types is not null or _consumer.categories is not null or _consumer.tenant_id is not null;
  _has_parked := exists (
    select from daybook.parked_streams p
     where p.kind = read_events_for.kind and p.name = read_events_for.name and p.shard = read_events_for.shard);
  _until := case when _is_filtered then least(horizon, "position" + greatest(1000, 8 * max_count)) else horizon end;

  return query
    select l.position, l.tenant_id,
           (select h.stream_id from daybook.stream_heads h where h.stream_key = l.stream_key and h.tenant_id = l.tenant_id),
           l.version, l.category, l.type, l.data, coalesce(l.metadata, '{}'), l.event_id, l.correlation_id, l.causation_id,
           l.schema_version, l.tags, coalesce(l.occurred_at, l.recorded_at), l.recorded_at
      from daybook.event_log l
     where l.position > read_events_for."position" and l.position <= _until
       and l.recorded_at >= _from
       and (_consumer.types is null or l.type = any (_consumer.types))
       and (_consumer.categories is null or l.category = any (_consumer.categories))
       and (_consumer.tenant_id is null or l.tenant_id = _consumer.tenant_id)
       and (shard_count = 1 or (hashint8(l.stream_key) & 2147483647) % shard_count = read_events_for.shard)
       and (not _has_parked or not exists (
             select from daybook.parked_streams p
              where p.kind = read_events_for.kind and p.name = read_events_for.name and p.stream_key = l.stream_key and p.tenant_id = l.tenant_id))
     order by l.position
     limit max_count;
  get diagnostics _found = row_count;
  if _found = max_count or _until >= horizon then
    return;
  end if;

  return query select e.* from daybook._read_rare(
    _consumer, _until, horizon, (max_count - _found)::integer, read_events_for.shard, shard_count, _has_parked, _from) e;
end
$$;

comment on function daybook.read_events_for(text, bigint, bigint, integer, integer, integer, text) is
  'The next events behind a position, up to a horizon that claim_consumer gave in an earlier statement, that a shard of a handler (or a projection: kind) is to be given: those it follows, without streams that are parked for it. Fewer than max_count: there are no more up to the horizon.';
