create or replace view daybook.routes with (security_invoker = true) as
select r.name, r.transport, r.topic, c.tenant_id, c.types, c.categories, r.direct, r.public_name, r.public_version, r.mapping, r.mode,
       c.state, c.state_reason, c.shard_count as shards, c.wanted_shards, c.on_failure, c.max_attempts, c.base_delay, c.max_delay,
       k.position, k.attempts, k.postponed, k.retry_at, k.last_error, k.moved_at,
       o.undelivered, o.oldest_written_at,
       (select count(*) from daybook.parked_streams p where p.kind = 'route' and p.name = r.name) as parked_streams,
       (select count(*) from daybook.outbox_leases l where l.route = r.name and l.token is not null and l.due_at > clock_timestamp()) as leased_streams,
       d.dead_letters,
       n.reason is not null as needs_person, n.reason as needs_person_reason,
       c.created_at, c.changed_at
  from daybook.outbox_routes r
  join daybook.consumers c on c.kind = 'route' and c.name = r.name
 cross join lateral (
   select min(k.position) as position, max(k.attempts) as attempts, max(k.postponed) as postponed, max(k.retry_at) as retry_at,
          (array_agg(k.last_error order by k.position) filter (where k.last_error is not null))[1] as last_error, max(k.moved_at) as moved_at
     from daybook.cursors k where k.kind = 'route' and k.name = r.name) k
 cross join lateral (
   select count(*) as undelivered, min(o.written_at) as oldest_written_at from daybook.outbox o where o.route = r.name) o
 cross join lateral (
   select count(*) as dead_letters from daybook.dead_letters_log d where d.kind = 'route' and d.name = r.name and d.state = 'waiting') d
  left join lateral (
   select w.postponed, w.message
     from (
       select k.postponed, k.last_error ->> 'message' as message from daybook.cursors k where k.kind = 'route' and k.name = r.name
       union all
       select p.postponed, p.error ->> 'message' from daybook.parked_streams p where p.kind = 'route' and p.name = r.name) w
    where c.state = 'running' and w.postponed >= c.max_attempts
    order by w.postponed desc
    limit 1) w on true
 cross join lateral (
   select nullif(concat_ws('; ',
            case when c.state = 'halted' then 'halted: ' || coalesce(c.state_reason, 'see last_error') end,
            case when d.dead_letters > 0 then 'dead letters that wait: ' || d.dead_letters end,
            'not taken ' || w.postponed || ' times in a row: ' || coalesce(w.message, 'see last_error')), '') as reason) n;

comment on view daybook.routes is 'Routes: what goes where, in which public shape, how far they have come, and what waits.';
comment on column daybook.routes.name is 'Its name.';
comment on column daybook.routes.transport is 'Name of the transport; postgres: received in SQL.';
comment on column daybook.routes.topic is 'Topic within the transport; {category}, {type}, {tenant} and {stream} are filled in.';
comment on column daybook.routes.tenant_id is 'The one tenant it is bound to; null = all.';
comment on column daybook.routes.types is 'Types of events it takes; null = all.';
comment on column daybook.routes.categories is 'Categories it takes; null = all.';
comment on column daybook.routes.direct is 'Takes what is published directly, and no events.';
comment on column daybook.routes.public_name is 'Name of the integration event; null = the type of the event.';
comment on column daybook.routes.public_version is 'Version of its public shape.';
comment on column daybook.routes.mapping is 'Function that makes the public payload; null = the data as it is.';
comment on column daybook.routes.mode is 'on, or shadow: written and counted, not sent.';
comment on column daybook.routes.state is 'running, paused (by a person), halted (by a failure; a person is needed). Messages are written in each state.';
comment on column daybook.routes.state_reason is 'Why it is in this state.';
comment on column daybook.routes.shards is 'How many shards it runs in now.';
comment on column daybook.routes.wanted_shards is 'How many shards it is to run in.';
comment on column daybook.routes.on_failure is 'When a message has failed: park, halt or skip.';
comment on column daybook.routes.max_attempts is 'Tries of a message before a person is needed.';
comment on column daybook.routes.base_delay is 'Delay before the second try; it doubles with each.';
comment on column daybook.routes.max_delay is 'Longest delay between two tries.';
comment on column daybook.routes."position" is 'Everything up to here is delivered, or its stream is parked or leased; of the shard that is furthest behind.';
comment on column daybook.routes.attempts is 'Failed tries of the message it stays before.';
comment on column daybook.routes.postponed is 'How often in a row it had to wait because its transport took nothing; no try is used up by that.';
comment on column daybook.routes.retry_at is 'When it tries again.';
comment on column daybook.routes.last_error is 'Why it stays.';
comment on column daybook.routes.moved_at is 'When a shard last moved.';
comment on column daybook.routes.undelivered is 'Messages that are not delivered yet, parked ones among them.';
comment on column daybook.routes.oldest_written_at is 'Since when the oldest of them waits.';
comment on column daybook.routes.parked_streams is 'Streams that wait because one of their messages failed.';
comment on column daybook.routes.leased_streams is 'Streams that somebody who receives has a message of.';
comment on column daybook.routes.dead_letters is 'Messages that wait for a person.';
comment on column daybook.routes.needs_person is 'Whether somebody has to look at it: it is halted, has dead letters that wait, or its transport has taken nothing max_attempts times in a row (then it goes on trying).';
comment on column daybook.routes.needs_person_reason is 'Why somebody has to look at it; null if nobody has to.';
comment on column daybook.routes.created_at is 'When it was created.';
comment on column daybook.routes.changed_at is 'When its definition or state last changed.';
