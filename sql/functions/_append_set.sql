-- Takes the ordinary entries: one event or more, any version or an exact one, no key, each stream in one entry, or in
-- several that all take any version. What it leaves out, or finds in another state than expected, the caller does singly.
-- The events are sorted before the first position is drawn, and so after the last stream is locked.
create or replace function daybook._append_set(appends jsonb, tenant_id text) returns setof daybook.batch_result
language plpgsql volatile
set enable_seqscan = off
set plan_cache_mode = force_generic_plan
as $$
declare
  _now timestamptz := daybook._recordable_at(clock_timestamp());
begin
  return query
  with entries as materialized (
    select a.ordinality::integer - 1 as i, a.value ->> 'stream_id' as stream_id, a.value -> 'events' as events,
           jsonb_array_length(a.value -> 'events') as count, (a.value ->> 'expected_version')::bigint as expected
      from jsonb_array_elements(appends) with ordinality a
     where daybook._is_ordinary_entry(a.value)
  ), singles as materialized (
    select e.*, sum(e.count) over (partition by e.stream_id order by e.i) - e.count as before,
           sum(e.count) over (partition by e.stream_id) as total
      from entries e
     where e.stream_id in (select g.stream_id from entries g group by g.stream_id having count(*) = 1 or count(g.expected) = 0)
  ), known as materialized (
    select h.stream_key, h.stream_id, h.version, h.last_recorded_at
      from daybook.stream_heads h
     where h.tenant_id = _append_set.tenant_id and h.stream_id = any (array(select s.stream_id from singles s))
     order by h.stream_id
       for no key update skip locked
  ), made as (
    insert into daybook.stream_heads as h (tenant_id, stream_id, version, first_recorded_at, last_recorded_at)
    select _append_set.tenant_id, s.stream_id, s.total, _now, _now
      from singles s
     where s.before = 0 and coalesce(s.expected, 0) = 0
       and not exists (select from daybook.stream_heads h where h.tenant_id = _append_set.tenant_id and h.stream_id = s.stream_id)
     order by s.stream_id
        on conflict on constraint stream_heads_pkey do nothing
    returning h.stream_key, h.stream_id, 0::bigint as version, h.last_recorded_at
  ), heads as (
    select k.* from known k union all select m.* from made m
  ), chosen as materialized (
    select s.*, h.stream_key, h.version, greatest(h.last_recorded_at, _now) as recorded_at
      from singles s
      join heads h on h.stream_id = s.stream_id
     where coalesce(s.expected, h.version) = h.version
  ), moved as (
    update daybook.stream_heads h
       set version = h.version + c.total,
           first_recorded_at = least(h.first_recorded_at, c.recorded_at),
           last_recorded_at = c.recorded_at
      from chosen c, known k
     where c.before = 0 and k.stream_id = c.stream_id
       and h.tenant_id = _append_set.tenant_id and h.stream_id = c.stream_id
  ), written as (
    insert into daybook.event_log (
      position, stream_key, version, recorded_at, occurred_at, schema_version, event_id, correlation_id, causation_id,
      tenant_id, category, type, data, metadata, tags)
    select nextval('daybook.positions'), o.stream_key, o.version, o.recorded_at, (o.value ->> 'occurred_at')::timestamptz,
           coalesce((o.value ->> 'schema_version')::integer, 1), coalesce((o.value ->> 'event_id')::uuid, daybook.uuid_v7()),
           (o.value ->> 'correlation_id')::uuid, (o.value ->> 'causation_id')::uuid, _append_set.tenant_id,
           split_part(o.stream_id, '-', 1), o.value ->> 'type', coalesce(o.value -> 'data', '{}'),
           nullif(o.value -> 'metadata', '{}'), daybook._tags(o.value -> 'tags')
      from (select c.stream_key, c.stream_id, c.version + c.before + e.ordinality as version, c.recorded_at, e.value
              from chosen c, jsonb_array_elements(c.events) with ordinality e
             order by c.i, e.ordinality
            offset 0) o
    returning position, stream_key, version)
  select c.i, 'appended', c.stream_id, (c.version + c.before + c.count)::bigint,
         min(w.position), max(w.position), false, null::jsonb
    from chosen c
    join written w on w.stream_key = c.stream_key and w.version between c.version + c.before + 1 and c.version + c.before + c.count
   group by c.i, c.stream_id, c.version, c.before, c.count
  union all
  select s.i, 'busy', s.stream_id, null, null, null, null, null
    from singles s
   where s.stream_id not in (select h.stream_id from heads h)
     and exists (select from daybook.stream_heads h where h.tenant_id = _append_set.tenant_id and h.stream_id = s.stream_id);
end
$$;

comment on function daybook._append_set(jsonb, text) is 'Appends the ordinary entries of a batch together and returns their outcomes; entries without one are left to be appended singly.';
