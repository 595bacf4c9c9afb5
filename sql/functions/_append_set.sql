-- Appends the ordinary entries together. What it leaves out, or finds in another state than expected, the caller does
-- singly: all entries of a stream go together or singly, so that none overtakes another.
-- The events are sorted before the first position is drawn, and so after the last stream is locked. Streams are looked
-- up one by one (lateral, scalar subqueries): a plan made while the table was small stays good when it has grown.
-- A locked row is updated by its ctid. One that somebody else has changed since the statement began is not to be found
-- there by its snapshot; such a stream is left to the caller too.
create or replace function daybook._append_set(appends jsonb, tenant_id text) returns setof daybook.batch_result
language plpgsql volatile
set enable_seqscan = off
set jit = off
set plan_cache_mode = force_generic_plan
as $$
declare
  _now timestamptz := daybook._recordable_at(clock_timestamp());
begin
  return query
  with events as materialized (
    select e.* from daybook._batch_events(appends, _append_set.tenant_id, daybook.visible_tenants()) e
     -- always true; named here, they have the plan made anew when configure changes them, which in what is inlined goes unnoticed
     where daybook._max_events() > 0 and daybook._max_event_bytes() > 0
  ), streams as materialized (
    select e.tenant_id, e.stream_id, e.expected, e.total, k.place, k.stream_key, k.version,
           coalesce(e.expected, k.version) = k.version as is_expected, greatest(k.last_recorded_at, _now) as recorded_at
      from (select e.* from events e where e.is_fit and e.place = 1 order by e.tenant_id, e.stream_id) e
      left join lateral (
        select h.ctid as place, h.stream_key, h.version, h.last_recorded_at
          from daybook.stream_heads h
         where h.tenant_id = e.tenant_id and h.stream_id = e.stream_id
           for no key update skip locked) k on true
  ), made as (
    insert into daybook.stream_heads as h (tenant_id, stream_id, version, first_recorded_at, last_recorded_at)
    select s.tenant_id, s.stream_id, s.total, _now, _now
      from streams s
     where s.stream_key is null and coalesce(s.expected, 0) = 0
       and (select h.version from daybook.stream_heads h where h.tenant_id = s.tenant_id and h.stream_id = s.stream_id) is null
        on conflict on constraint stream_heads_pkey do nothing
    returning h.tenant_id, h.stream_id, h.stream_key
  ), moved as (
    update daybook.stream_heads h
       set version = h.version + s.total,
           first_recorded_at = least(h.first_recorded_at, s.recorded_at),
           last_recorded_at = s.recorded_at
      from streams s
     where s.is_expected and h.ctid = s.place
    returning h.stream_key
  ), heads as (
    select s.tenant_id, s.stream_id, s.stream_key, s.version, s.recorded_at from streams s join moved m on m.stream_key = s.stream_key
    union all
    select m.tenant_id, m.stream_id, m.stream_key, 0, _now from made m
  ), placed as materialized (
    select nextval('daybook.positions') as position, coalesce((o.value ->> 'event_id')::uuid, daybook.uuid_v7()) as event_id, o.*
      from (select e.i, e.tenant_id, e.stream_id, e.value, h.stream_key, h.version + e.place as version, h.recorded_at
              from events e
              join heads h on h.tenant_id = e.tenant_id and h.stream_id = e.stream_id
             where e.is_fit
             order by e.i, e.place
            offset 0) o
  ), written as (
    insert into daybook.event_log (
      position, stream_key, version, recorded_at, occurred_at, schema_version, event_id, correlation_id, causation_id,
      tenant_id, category, type, data, metadata, tags)
    select p.position, p.stream_key, p.version, p.recorded_at, (p.value ->> 'occurred_at')::timestamptz,
           coalesce((p.value ->> 'schema_version')::integer, 1), p.event_id,
           (p.value ->> 'correlation_id')::uuid, (p.value ->> 'causation_id')::uuid, p.tenant_id,
           split_part(p.stream_id, '-', 1), p.value ->> 'type', coalesce(p.value -> 'data', '{}'),
           nullif(p.value -> 'metadata', '{}'), daybook._tags(p.value -> 'tags')
      from placed p
  )
  select p.i, 'appended', p.stream_id, max(p.version), min(p.position), max(p.position), false, null::jsonb
    from placed p
   group by p.i, p.stream_id
  union all
  select e.i, 'busy', e.stream_id, null, null, null, null, null
    from events e
    join streams s on s.tenant_id = e.tenant_id and s.stream_id = e.stream_id
   where e.is_fit and s.stream_key is null
     and (select h.version from daybook.stream_heads h where h.tenant_id = s.tenant_id and h.stream_id = s.stream_id) is not null
   group by e.i, e.stream_id
  union all
  -- never a row: what happens beside
  select null, null, null, null, null, null, null, null
    from (select array_agg(row(p.position, p.tenant_id, p.stream_id, p.version, split_part(p.stream_id, '-', 1), p.value ->> 'type',
                               coalesce(p.value -> 'data', '{}'), coalesce(p.value -> 'metadata', '{}'), p.event_id,
                               (p.value ->> 'correlation_id')::uuid, (p.value ->> 'causation_id')::uuid,
                               coalesce((p.value ->> 'schema_version')::integer, 1), daybook._tags(p.value -> 'tags'),
                               coalesce((p.value ->> 'occurred_at')::timestamptz, p.recorded_at), p.recorded_at)::daybook.event order by p.position)
                   filter (where daybook._watched(p.tenant_id, split_part(p.stream_id, '-', 1), p.value ->> 'type')) as events
            from placed p) r
   where case when r.events is null then false else daybook._on_append(r.events) < 0 end;
end
$$;

comment on function daybook._append_set(jsonb, text) is 'Appends the ordinary entries of a batch together and returns their outcomes; entries without one are left to be appended singly.';
