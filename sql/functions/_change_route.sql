create or replace function daybook._change_route(
  was daybook.outbox_routes,
  was_consumer daybook.consumers,
  route daybook.outbox_routes,
  consumer daybook.consumers
) returns void
language plpgsql volatile
as $$
begin
  if route.transport = 'postgres' and was_consumer.shard_count > 1 then
    perform daybook._invalid_consumer('route', route.name, array['it runs in several shards, and transport postgres in one: bring it to one first']);
  elsif was.transport = 'postgres' and route.transport <> 'postgres' and exists (select from daybook.outbox_leases l where l.route = was.name) then
    perform daybook._invalid_consumer('route', route.name, array['streams of it are still being received: receive the rest first, or make a route of another name']);
  end if;

  update daybook.consumers c
     set tenant_id = consumer.tenant_id, types = consumer.types, categories = consumer.categories, wanted_shards = consumer.wanted_shards,
         on_failure = consumer.on_failure, max_attempts = consumer.max_attempts, base_delay = consumer.base_delay,
         max_delay = consumer.max_delay, changed_at = clock_timestamp()
   where c.kind = 'route' and c.name = was.name;
  update daybook.outbox_routes r
     set transport = route.transport, topic = route.topic, public_name = route.public_name, public_version = route.public_version,
         mapping = route.mapping, mode = route.mode, direct = route.direct
   where r.name = was.name;
end
$$;

comment on function daybook._change_route(daybook.outbox_routes, daybook.consumers, daybook.outbox_routes, daybook.consumers) is
  'Gives a route another definition; its position stays. Raises YD502 where its state does not allow it.';
