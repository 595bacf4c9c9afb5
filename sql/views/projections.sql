create or replace view daybook.projections with (security_invoker = true) as
select v.name, v.version, v.mode, v.takes, v.revision, k.tenant_id,
       case when k.state = 'running' and v.mode = 'inline' then 'following' else k.state end as state,
       coalesce(k.state_reason, v.state_reason) as state_reason,
       p.position, b.behind, s.last_position - p.position as positions_behind, g.lag_seconds,
       case when k.state = 'halted' or g.lag_seconds > 30 then 'critical' when g.lag_seconds >= 5 then 'warning' else 'good' end as health,
       v.rate, v.handled, c.attempts, c.retry_at, c.last_error, w.parked_streams, d.dead_letters,
       k.state = 'halted' or p.position > s.last_position or w.dead_streams > 0 or coalesce(nk.state = 'halted', false)
         or exists (select from daybook.parked_streams p where p.kind = 'projection' and p.name = n.consumer and p.retry_at is null) as needs_person,
       n.version as building_version, nk.state as building_state, coalesce(nk.state_reason, n.state_reason) as building_reason,
       nc.position as building_position, nc.last_error as building_error,
       case when n.version is not null then
         least(greatest((nc.position - n.start_position)::numeric / greatest(s.last_position - n.start_position, 1), 0), 1)::numeric(6, 5) end as building_progress,
       case when n.version is not null and n.handled > 0 and nc.position > n.start_position then
         ((s.last_position - nc.position) * (extract(epoch from nc.moved_at - n.begun_at) / (nc.position - n.start_position)))::numeric(20, 1) end as building_seconds_left,
       v.view_schema as schema, array(select t from jsonb_object_keys(v.tables) t order by t collate "C") as tables,
       v.apply, k.types, k.categories, k.on_failure, k.max_attempts, c.moved_at, v.live_at
  from daybook.projection_versions v
  join daybook.consumers k on k.kind = 'projection' and k.name = v.consumer
  join daybook.cursors c on c.kind = 'projection' and c.name = v.consumer
 cross join (select coalesce(pg_sequence_last_value('daybook.positions'::regclass), 0) as last_position) s
 cross join lateral (select case when k.state = 'inline' then s.last_position else c.position end as position) p
 cross join lateral (
   select count(*) filter (where e.is_followed) as behind,
          coalesce(min(e.recorded_at) filter (where e.is_followed), case when count(*) = 10000 then max(e.recorded_at) end) as since
     from (select l.recorded_at,
                  (k.types is null or l.type = any (k.types)) and (k.categories is null or l.category = any (k.categories))
                    and (k.tenant_id is null or l.tenant_id = k.tenant_id) as is_followed
             from daybook.event_log l
            where l.position > p.position and l.position <= s.last_position and l.recorded_at >= daybook._read_from(p.position)
            order by l.position
            limit 10000) e) b
 cross join lateral (
   select case when b.since is not null then greatest(extract(epoch from clock_timestamp() - b.since), 0)::numeric(20, 3) end as lag_seconds) g
 cross join lateral (
   select count(*) as parked_streams, count(*) filter (where p.retry_at is null) as dead_streams
     from daybook.parked_streams p where p.kind = 'projection' and p.name = v.consumer) w
 cross join lateral (
   select count(*) as dead_letters
     from daybook.dead_letters_log d where d.kind = 'projection' and d.name = v.consumer and d.state in ('waiting', 'retrying')) d
  left join daybook.projection_versions n on n.name = v.name and n.stage = 'building'
  left join daybook.consumers nk on nk.kind = 'projection' and nk.name = n.consumer
  left join daybook.cursors nc on nc.kind = 'projection' and nc.name = n.consumer
 where v.stage = 'live'
 order by v.name;

comment on view daybook.projections is 'The projections: how they are kept, how far they are, what hinders them, and what is being built beside them. In trouble: select * from daybook.projections where needs_person or health <> ''good''.';
comment on column daybook.projections.name is 'Its name.';
comment on column daybook.projections.version is 'The version that readers see.';
comment on column daybook.projections.mode is 'inline: appends apply their events themselves; async: it follows the log.';
comment on column daybook.projections.takes is 'What its code is given: event, batch, or typescript (it runs in a worker).';
comment on column daybook.projections.revision is 'Revision of its definition, as its authors count them.';
comment on column daybook.projections.tenant_id is 'The one tenant it is bound to; null = every tenant.';
comment on column daybook.projections.state is 'running, inline (appends keep it up to date), following (to be inline, once it has caught up), paused (by a person), halted (by a failure; a person is needed).';
comment on column daybook.projections.state_reason is 'Why it is paused or halted, or what it waits for.';
comment on column daybook.projections."position" is 'Everything up to here is in its rows, but for what is parked.';
comment on column daybook.projections.behind is 'Events it follows among the next 10,000 of the log.';
comment on column daybook.projections.positions_behind is 'How many positions the log is ahead of it.';
comment on column daybook.projections.lag_seconds is 'Age of the first event it follows and has not got; null = there is none.';
comment on column daybook.projections.health is 'good: less than 5 seconds behind; warning: up to 30; critical: more, or halted.';
comment on column daybook.projections.rate is 'Events a second while it is at work, a moving average; null = nothing yet.';
comment on column daybook.projections.handled is 'Events that this version was given in batches.';
comment on column daybook.projections.attempts is 'Failed tries of the event it stays before.';
comment on column daybook.projections.retry_at is 'When that is tried again; null = nothing to wait for.';
comment on column daybook.projections.last_error is 'Why it stays: {code, message, detail, hint, stack, position, event_id, at}.';
comment on column daybook.projections.parked_streams is 'Streams that wait because one of their events failed: see parked.';
comment on column daybook.projections.dead_letters is 'Events that used up their tries and are open: see dead_letters.';
comment on column daybook.projections.needs_person is 'Whether it, one of its streams, or what is being built goes on only when a person has looked at it.';
comment on column daybook.projections.building_version is 'The version that is being built beside it; null = none.';
comment on column daybook.projections.building_state is 'running, paused or halted.';
comment on column daybook.projections.building_reason is 'Why it is paused or halted, or what it waits for before it can take its place.';
comment on column daybook.projections.building_position is 'Up to where it is built.';
comment on column daybook.projections.building_error is 'Why building stays: as last_error.';
comment on column daybook.projections.building_progress is 'How much of the log it has behind it, 0 to 1.';
comment on column daybook.projections.building_seconds_left is 'How long the rest takes at the pace so far; null = not known yet.';
comment on column daybook.projections.schema is 'Schema of its views.';
comment on column daybook.projections.tables is 'Names of its tables, and of its views.';
comment on column daybook.projections.apply is 'Its apply function; null = code in TypeScript.';
comment on column daybook.projections.types is 'Types of events it follows; null = all.';
comment on column daybook.projections.categories is 'Categories it follows; null = all.';
comment on column daybook.projections.on_failure is 'When an event has failed: halt = stay before it; park = its stream waits, others flow; skip = dead letter, go on.';
comment on column daybook.projections.max_attempts is 'Tries of an event before a person is needed.';
comment on column daybook.projections.moved_at is 'When it last moved.';
comment on column daybook.projections.live_at is 'Since when readers see this version.';
