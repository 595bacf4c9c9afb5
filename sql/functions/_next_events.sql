-- read_events_for as one array, made in one statement: the events go nowhere but to an apply function. (offset 0 keeps the
-- lookup of a stream's name one per stream, remembered from event to event.)
create or replace function daybook._next_events(consumer daybook.consumers, "position" bigint, horizon bigint, max_count integer) returns daybook.event[]
language plpgsql volatile
set enable_seqscan = off
set jit = off
set enable_bitmapscan = off
as $$
declare
  _from timestamptz := daybook._read_from("position");
  _has_parked boolean := exists (select from daybook.parked_streams p where p.kind = consumer.kind and p.name = consumer.name);
  _until bigint := case
    when consumer.types is null and consumer.categories is null and consumer.tenant_id is null then horizon
    else least(horizon, "position" + greatest(1000, 8 * max_count)) end;
  _events daybook.event[];
begin
  select array_agg(e) into _events
    from (select row(l.position, l.tenant_id, h.stream_id, l.version, l.category, l.type, l.data, coalesce(l.metadata, '{}'), l.event_id,
                     l.correlation_id, l.causation_id, l.schema_version, l.tags, coalesce(l.occurred_at, l.recorded_at), l.recorded_at)::daybook.event as e
            from daybook.event_log l
            left join lateral (
              select s.stream_id from daybook.stream_heads s where s.stream_key = l.stream_key and s.tenant_id = l.tenant_id offset 0) h on true
           where l.position > _next_events."position" and l.position <= _until
             and l.recorded_at >= _from
             and (consumer.types is null or l.type = any (consumer.types))
             and (consumer.categories is null or l.category = any (consumer.categories))
             and (consumer.tenant_id is null or l.tenant_id = consumer.tenant_id)
             and (not _has_parked or not exists (
                   select from daybook.parked_streams p
                    where p.kind = consumer.kind and p.name = consumer.name and p.stream_key = l.stream_key and p.tenant_id = l.tenant_id))
           order by l.position
           limit max_count) n;
  _events := coalesce(_events, '{}');
  if cardinality(_events) < max_count and _until < horizon then
    _events := _events || array(
      select r::daybook.event from daybook._read_rare(
        consumer, _until, horizon, max_count - cardinality(_events), 0, 1, _has_parked, _from) r);
  end if;
  return _events;
end
$$;

comment on function daybook._next_events(daybook.consumers, bigint, bigint, integer) is
  'The next events behind a position, up to a horizon read in an earlier statement, that a projection is to be given. Fewer than max_count: there are no more up to the horizon.';
