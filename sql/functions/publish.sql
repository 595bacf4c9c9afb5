create or replace function daybook.publish(
  route text,
  message jsonb,
  tenant_id text default null
) returns bigint
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  _tenant text := daybook._tenant(publish.tenant_id);
  _route record;
  _id uuid;
  _key text;
  _position bigint;
begin
  perform daybook._check_message(message);
  -- registered in a statement of its own, before the position is drawn (the rule readers rest on), and before the route is
  -- looked up: see _outlive_dropped_route
  perform daybook._register_append();
  select r.* into _route from unnest(daybook._routes()) r where r.name = publish.route and r.direct;
  if not found or _route.tenant_id <> _tenant then
    raise exception using
      errcode = 'YD501',
      message = format('there is no route %s to put messages into directly%s', quote_literal(route),
                       case when _route.tenant_id <> _tenant then format(' for tenant %s', quote_ident(_tenant)) end),
      detail = jsonb_build_object('kind', 'route', 'name', route, 'tenant_id', _tenant),
      hint = format('Have an administrator run: select daybook.create_route(%L, ''<transport>'', direct => true)', route);
  end if;
  _id := coalesce((message ->> 'message_id')::uuid, daybook.uuid_v7());
  _key := coalesce(message ->> 'key', _id::text);

  insert into daybook.outbox_log (
    position, tenant_id, route, message_id, stream_id, topic, type, type_version, data, metadata, correlation_id, causation_id, occurred_at)
  values (
    nextval('daybook.positions'), _tenant, _route.name, _id, _key,
    format(_route.topic, split_part(_key, '-', 1), message ->> 'type', _tenant, _key),
    message ->> 'type', coalesce((message ->> 'version')::integer, 1), coalesce(nullif(message -> 'data', 'null'), '{}'),
    nullif(nullif(message -> 'metadata', 'null'), '{}'), (message ->> 'correlation_id')::uuid, (message ->> 'causation_id')::uuid,
    coalesce((message ->> 'occurred_at')::timestamptz, clock_timestamp()))
  returning position into _position;
  return _position;
end
$$;

comment on function daybook.publish(text, jsonb, text) is
  'Puts an integration event into the outbox, in the caller''s transaction and without a domain event, by a route made with direct => true: {"type", "version"?, "data"?, "metadata"?, "key"?, "message_id"?, "occurred_at"?, "correlation_id"?, "causation_id"?}. Messages of one key are delivered in order. Returns its position.';
