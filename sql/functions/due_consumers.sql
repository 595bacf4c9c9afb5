-- Planning it anew for each stretch, however short, would cost more than looking at the stretch.
create or replace function daybook.due_consumers(
  after_position bigint,
  horizon bigint,
  caught_up bigint default null
) returns table (kind text, name text, implementation text, shard integer, shard_count integer, reason text)
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan
as $$
declare
  _from timestamptz := daybook._read_from(after_position);
  _is_long boolean := due_consumers.horizon - after_position > 20000;
begin
  perform daybook._check_not_narrowed(null);
  perform daybook._settled(due_consumers.horizon);
  perform daybook._halt_ahead();
  return query
    with kinds as materialized (
      select distinct l.tenant_id, l.category, l.type,
             case when exists (select from daybook.consumers k where k.kind = 'handler' and k.shard_count > 1) then hashint8(l.stream_key) & 2147483647 end as hash
        from daybook.event_log l
       where not _is_long and l.position > after_position and l.position <= due_consumers.horizon and l.recorded_at >= _from
    )
    select d.kind, d.name, d.implementation, d.shard, d.shard_count, d.reason
      from (
        select c.kind, c.name, k.implementation, c.shard, k.shard_count,
               case
                 when not daybook._is_due(c.retry_at, (c.last_error ->> 'at')::timestamptz) then null
                 when k.wanted_shards <> k.shard_count and c.position = max(c.position) over everywhere then
                   case when c.position = min(c.position) over everywhere then 'shards' end
                 when c.retry_at is not null then 'retry'
                 when c.position < least(due_consumers.horizon, case when _is_long then due_consumers.horizon else coalesce(caught_up, after_position) end)
                   then 'behind'
                 when c.position >= due_consumers.horizon then null
                 when c.kind <> 'route' and exists (
                   select from kinds e
                    where (k.types is null or e.type = any (k.types))
                      and (k.categories is null or e.category = any (k.categories))
                      and (k.tenant_id is null or e.tenant_id = k.tenant_id)
                      and (k.shard_count = 1 or e.hash % k.shard_count = c.shard)) then 'new'
                 when c.kind = 'route' and exists (
                   select from daybook.outbox_log o
                    where o.route = c.name and o.position > greatest(after_position, c.position) and o.position <= due_consumers.horizon
                      and (k.shard_count = 1 or daybook._shard(o.stream_id, k.shard_count) = c.shard)) then 'new'
               end as own,
               v.name is not null and c.position >= due_consumers.horizon and daybook._is_due(v.switch_at, null) as has_caught_up,
               exists (
                 select from daybook.parked_streams p
                  where p.kind = c.kind and p.name = c.name and p.shard = c.shard
                    and (p.retry_at <= clock_timestamp() or (p.retry_at is not null and p.waits_since > clock_timestamp()))
                    and p.position <= c.position) as has_due
          from daybook.consumers k
          join daybook.cursors c on c.kind = k.kind and c.name = k.name
          left join daybook.projection_versions v
            on k.kind = 'projection' and v.consumer = k.name and (v.stage = 'building' or v.stage = 'live' and v.mode = 'inline')
         where k.state = 'running'
           -- received in SQL: see receive
           and (k.kind <> 'route' or not exists (select from daybook.outbox_routes r where r.name = k.name and r.transport = 'postgres'))
        window everywhere as (partition by c.kind, c.name)) s
     cross join lateral (
       select s.kind, s.name, s.implementation, s.shard, s.shard_count, coalesce(s.own, case when s.has_due then 'parked' when s.has_caught_up then 'switch' end) as reason) d
     where d.reason is not null
     order by d.kind, d.name, d.shard;
end
$$;

comment on function daybook.due_consumers(bigint, bigint, bigint) is
  'Which shards have work, of consumers that run: new (something they follow lies in (after_position, horizon]), behind (they are before caught_up, or after_position), retry or parked (a failed message is due), shards (all have come to where their number changes), switch (a version of a projection has caught up and can take the live one''s place, or be kept up to date by appends). Halts those whose position lies beyond the end of the log. Each tick passes the last horizon and the new one, and what move_idle_consumers returned.';
