create or replace view daybook.handlers with (security_invoker = true) as
select k.name, k.implementation, k.tenant_id, k.state, k.state_reason, k.types, k.categories, k.shard_count as shards,
       nullif(k.wanted_shards, k.shard_count) as shards_wanted,
       c.position, greatest(s.last_position - c.position, 0) as behind,
       case when c.position < s.last_position then greatest(extract(epoch from clock_timestamp() - (
         select l.recorded_at
           from daybook.event_log l
          where l.position > c.position and l.recorded_at >= daybook._read_from(c.position)
          order by l.position
          limit 1)), 0)::numeric(20, 3) end as lag_seconds,
       c.attempts, c.retry_at, c.last_error, p.parked_streams, d.dead_letters,
       k.state = 'halted' or c.is_ahead or p.dead_streams > 0 as needs_person,
       k.on_failure, k.max_attempts, c.moved_at
  from daybook.consumers k
 cross join (select coalesce(pg_sequence_last_value('daybook.positions'::regclass), 0) as last_position) s
 cross join lateral (
   select min(c.position) as position, max(c.attempts) as attempts, min(c.retry_at) as retry_at, max(c.moved_at) as moved_at,
          (array_agg(c.last_error order by c.last_error ->> 'at' desc) filter (where c.last_error is not null))[1] as last_error,
          bool_or(c.position > s.last_position) as is_ahead
     from daybook.cursors c where c.kind = k.kind and c.name = k.name) c
 cross join lateral (
   select count(*) as parked_streams, count(*) filter (where p.retry_at is null) as dead_streams
     from daybook.parked_streams p where p.kind = k.kind and p.name = k.name) p
 cross join lateral (
   select count(*) as dead_letters
     from daybook.dead_letters_log d where d.kind = k.kind and d.name = k.name and d.state in ('waiting', 'retrying')) d
 where k.kind = 'handler'
 order by k.name;

comment on view daybook.handlers is 'The handlers: what they follow, how far they are, and what hinders them. In trouble: select * from daybook.handlers where needs_person.';
comment on column daybook.handlers.name is 'Its name.';
comment on column daybook.handlers.implementation is 'Name of the code that runs it: its own, or another''s where it is a replay.';
comment on column daybook.handlers.tenant_id is 'The one tenant it is bound to; null = every tenant.';
comment on column daybook.handlers.state is 'running, paused (by a person), halted (by a failure; a person is needed).';
comment on column daybook.handlers.state_reason is 'Why it is paused or halted.';
comment on column daybook.handlers.types is 'Types of events it is given; null = all.';
comment on column daybook.handlers.categories is 'Categories it is given; null = all.';
comment on column daybook.handlers.shards is 'How many shards it runs in.';
comment on column daybook.handlers.shards_wanted is 'How many it will run in, once all shards have come to the same position; null = no change.';
comment on column daybook.handlers."position" is 'Everything up to here is done, or belongs to a parked stream: the position of its slowest shard.';
comment on column daybook.handlers.behind is 'How many positions the log is ahead of it.';
comment on column daybook.handlers.lag_seconds is 'Age of the first event behind its position, whether it follows it or not; null = it is at the end of the log.';
comment on column daybook.handlers.attempts is 'Failed tries of the event it stays before; 0 = none failed.';
comment on column daybook.handlers.retry_at is 'When it tries again; null = nothing to wait for.';
comment on column daybook.handlers.last_error is 'Why it stays: {code, name, message, stack, position, event_id, at}.';
comment on column daybook.handlers.parked_streams is 'Streams that wait because one of their events failed: see parked.';
comment on column daybook.handlers.dead_letters is 'Events that used up their tries and are open: see dead_letters.';
comment on column daybook.handlers.needs_person is 'Whether it, or one of its streams, goes on only when a person has looked at it.';
comment on column daybook.handlers.on_failure is 'When an event has failed: halt = stay before it; park = its stream waits, others flow; skip = dead letter, go on.';
comment on column daybook.handlers.max_attempts is 'Tries of an event before a person is needed.';
comment on column daybook.handlers.moved_at is 'When one of its shards last moved.';
