create or replace function daybook.move_idle_consumers(caught_up bigint, horizon bigint, max_count integer default 1000) returns bigint
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan
as $$
declare
  _until bigint := least(horizon, caught_up + 100000);
  _from timestamptz := daybook._read_from(caught_up);
  _resharding record;
begin
  perform daybook._check_count(max_count, caught_up);
  perform daybook._check_not_narrowed(null);
  perform daybook._settled(horizon);
  for _resharding in select k.kind, k.name from daybook.consumers k where k.wanted_shards <> k.shard_count and k.state = 'running' loop
    perform daybook._change_shards(_resharding.kind, _resharding.name);
  end loop;

  with kinds as materialized (
    select distinct l.tenant_id, l.category, l.type,
           case when exists (select from daybook.consumers k where k.kind = 'handler' and k.shard_count > 1) then hashint8(l.stream_key) & 2147483647 end as hash
      from daybook.event_log l
     where l.position > caught_up and l.position <= _until and l.recorded_at >= _from
  ), idle as (
    select c.ctid
      from daybook.cursors c
      join daybook.consumers k on k.kind = c.kind and k.name = c.name
     where k.state = 'running' and k.wanted_shards = k.shard_count
       and c.position >= caught_up and c.position < _until and c.retry_at is null
       and case c.kind
             when 'route' then not exists (
               select from daybook.outbox_log o
                where o.route = c.name and o.position > c.position and o.position <= _until)
             else not exists (
               select from kinds e
                where (k.types is null or e.type = any (k.types))
                  and (k.categories is null or e.category = any (k.categories))
                  and (k.tenant_id is null or e.tenant_id = k.tenant_id)
                  and (k.shard_count = 1 or e.hash % k.shard_count = c.shard))
           end
     limit max_count
       for update of c skip locked
  )
  update daybook.cursors c
     set position = _until, moved_at = clock_timestamp()
    from idle i
   where c.ctid = i.ctid and c.position >= caught_up and c.position < _until and c.retry_at is null;
  return _until;
end
$$;

comment on function daybook.move_idle_consumers(bigint, bigint, integer) is
  'Moves the shards that have come to caught_up, and follow nothing of what lies between there and the horizon, without a drain; skips those that somebody holds. Returns up to where (at most 100,000 positions further): the next caught_up. Changes shards that are to be changed, too.';
