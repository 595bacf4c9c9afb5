create or replace function daybook._check_route(route daybook.outbox_routes, consumer daybook.consumers, mapping text) returns text
language plpgsql stable
as $$
declare
  _problems text[] := daybook._consumer_problems(consumer) || array(
    select p.problem
      from (values
        (1, 'a transport is named by 1 to 255 characters, none of them a control character', daybook._is_label(route.transport)),
        (2, 'a topic has 1 to 255 characters, none of them a control character', daybook._is_label(route.topic)),
        (3, 'what is filled in into a topic is {category}, {type}, {tenant} and {stream}',
         regexp_replace(coalesce(route.topic, ''), '\{(category|type|tenant|stream)\}', '', 'g') !~ '[{}]'),
        (4, 'a public name has 1 to 255 characters, none of them a control character', coalesce(daybook._is_label(route.public_name), true)),
        (5, 'a public version is a whole number from 1', route.public_version > 0),
        (6, 'mode is on or shadow', route.mode in ('on', 'shadow')),
        (7, 'direct is true or false', route.direct is not null),
        (8, 'what is published directly is in its public shape: no types, categories, public_name or mapping',
         route.direct is not true or num_nonnulls(consumer.types, consumer.categories, route.public_name, mapping) = 0),
        (9, 'a route of transport postgres has one shard: it is shared stream by stream', route.transport <> 'postgres' or consumer.wanted_shards = 1)
      ) p (place, problem, is_fine)
     where not coalesce(p.is_fine, false)
     order by p.place);
begin
  if cardinality(_problems) > 0 then
    perform daybook._invalid_consumer('route', route.name, _problems);
  elsif consumer.tenant_id is not null then
    perform daybook._tenant(consumer.tenant_id);
  end if;
  return daybook._mapping_name(route.name, mapping);
end
$$;

comment on function daybook._check_route(daybook.outbox_routes, daybook.consumers, text) is
  'Refuses definitions of routes that cannot be: YD502, YD505, YD201, YD203. Returns the full name of the mapping function, null for none.';
