create or replace function daybook.create_route(
  name text,
  transport text,
  topic text default '{category}',
  types text[] default null,
  categories text[] default null,
  public_name text default null,
  public_version integer default 1,
  mapping text default null,
  mode text default 'on',
  shards integer default 1,
  on_failure text default 'park',
  max_attempts integer default 5,
  base_delay interval default '1 second',
  max_delay interval default '5 minutes',
  direct boolean default false,
  tenant_id text default null
) returns boolean
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  _route daybook.outbox_routes;
  _consumer daybook.consumers;
  _was daybook.outbox_routes;
  _was_consumer daybook.consumers;
  _is_new boolean;
begin
  perform daybook._check_not_narrowed(null);
  _route.name := create_route.name;
  _route.transport := create_route.transport;
  _route.topic := create_route.topic;
  _route.public_name := create_route.public_name;
  _route.public_version := create_route.public_version;
  _route.mode := create_route.mode;
  _route.direct := create_route.direct;
  _consumer.kind := 'route';
  _consumer.name := create_route.name;
  _consumer.implementation := create_route.name;
  _consumer.tenant_id := create_route.tenant_id;
  _consumer.types := (select coalesce(array_agg(distinct w.name order by w.name), '{}') from unnest(create_route.types) w(name) having create_route.types is not null);
  _consumer.categories := (select coalesce(array_agg(distinct w.name order by w.name), '{}') from unnest(create_route.categories) w(name) having create_route.categories is not null);
  _consumer.shard_count := create_route.shards;
  _consumer.wanted_shards := create_route.shards;
  _consumer.on_failure := create_route.on_failure;
  _consumer.max_attempts := create_route.max_attempts;
  _consumer.base_delay := create_route.base_delay;
  _consumer.max_delay := create_route.max_delay;
  _route.mapping := daybook._check_route(_route, _consumer, create_route.mapping);

  lock table daybook.outbox_routes in share row exclusive mode;
  select r.* into _was from daybook.outbox_routes r where r.name = create_route.name;
  _is_new := not found;
  select c.* into _was_consumer from daybook.consumers c where c.kind = 'route' and c.name = create_route.name for update;
  if not _is_new
     and daybook._route_definition(_route, _consumer) = daybook._route_definition(_was, _was_consumer)
     and (_route.mapping is null or to_regprocedure('daybook._mapping(text, daybook.event)') is not null) then
    return false;
  end if;

  -- a worker may say at its start which routes it knows; who makes or changes one is an administrator
  if not pg_has_role(session_user, 'daybook_admin', 'usage') then
    raise exception using
      errcode = '42501',
      message = format('role %s may not %s route %s', quote_ident(session_user), case when _is_new then 'make' else 'change' end, quote_ident(name)),
      hint = 'Have an administrator (daybook_admin) create the route as the worker has it.';
  elsif _is_new then
    perform daybook._outlive_dropped_route(create_route.name);
    perform daybook._make_route(_route, _consumer);
  else
    perform daybook._change_route(_was, _was_consumer, _route, _consumer);
  end if;
  perform daybook._remake_routing();
  perform daybook._audit('create_route', 'route ' || create_route.name, daybook._route_definition(_route, _consumer));
  return _is_new;
end
$$;

comment on function daybook.create_route(text, text, text, text[], text[], text, integer, text, text, integer, text, integer, interval, interval, boolean, text) is
  'Makes a route: which events (types, categories, of one tenant or all) go to which topic of which transport, in which public shape. From its commit on, appends write its messages. direct: for publish, and no events. Returns true if it was made, false if it was there: then its definition is this one now, and its position stays. Takes daybook_admin, unless nothing changes.';
