create or replace function daybook._route_definition(route daybook.outbox_routes, consumer daybook.consumers) returns jsonb
language sql immutable
return to_jsonb(route) || jsonb_build_object(
  'tenant_id', consumer.tenant_id, 'types', consumer.types, 'categories', consumer.categories, 'shards', consumer.wanted_shards,
  'on_failure', consumer.on_failure, 'max_attempts', consumer.max_attempts, 'base_delay', consumer.base_delay, 'max_delay', consumer.max_delay);

comment on function daybook._route_definition(daybook.outbox_routes, daybook.consumers) is 'What defines a route, to compare and to record.';
