create or replace function daybook.next_due() returns timestamptz
language sql stable security definer
set search_path = pg_catalog, pg_temp
as $$
  select min(n.retry_at)
    from daybook.consumers k
    join daybook.cursors c on c.kind = k.kind and c.name = k.name
   cross join lateral (
     select case when daybook._is_due(c.retry_at, (c.last_error ->> 'at')::timestamptz) then least(c.retry_at, clock_timestamp()) else c.retry_at end as retry_at
      where c.retry_at is not null
     union all
     (select p.retry_at from daybook.parked_streams p
       where p.kind = c.kind and p.name = c.name and p.shard = c.shard and p.retry_at is not null
       order by p.retry_at
       limit 1)
     union all
     select clock_timestamp()
      where exists (
        select from daybook.parked_streams p
         where p.kind = c.kind and p.name = c.name and p.shard = c.shard and p.retry_at is not null and p.waits_since > clock_timestamp())
     union all
     select v.switch_at
       from daybook.projection_versions v
      where k.kind = 'projection' and v.consumer = k.name and v.stage <> 'retired' and v.switch_at is not null) n
   where k.state = 'running'
     -- received in SQL: see receive
     and (k.kind <> 'route' or not exists (select from daybook.outbox_routes r where r.name = k.name and r.transport = 'postgres'))
$$;

comment on function daybook.next_due() is 'When the next failed message is to be tried again, or a version of a projection to be switched to; null if nothing is: a moment that has passed = now.';
