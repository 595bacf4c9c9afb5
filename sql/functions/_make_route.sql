-- It starts at the horizon: whatever is in flight, and can know of it by the time it writes, lies behind.
create or replace function daybook._make_route(route daybook.outbox_routes, consumer daybook.consumers) returns void
language plpgsql volatile
as $$
begin
  insert into daybook.consumers (
    kind, name, implementation, tenant_id, types, categories, shard_count, wanted_shards, on_failure, max_attempts, base_delay, max_delay)
  select 'route', consumer.name, consumer.implementation, consumer.tenant_id, consumer.types, consumer.categories, consumer.shard_count,
         consumer.wanted_shards, consumer.on_failure, consumer.max_attempts, consumer.base_delay, consumer.max_delay;
  insert into daybook.cursors (kind, name, shard, position)
  select 'route', route.name, s.shard, h.position
    from daybook.horizon() h(position) cross join generate_series(0, consumer.shard_count - 1) s(shard);
  insert into daybook.outbox_routes select route.*;
end
$$;

comment on function daybook._make_route(daybook.outbox_routes, daybook.consumers) is 'Makes a route and its cursors.';
