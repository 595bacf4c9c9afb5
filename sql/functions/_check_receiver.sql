-- Whoever moves a route's position past messages must see all of them.
create or replace function daybook._check_receiver(route text) returns daybook.consumers
language plpgsql stable
as $$
declare
  _consumer daybook.consumers;
begin
  select c.* into _consumer
    from daybook.outbox_routes r
    join daybook.consumers c on c.kind = 'route' and c.name = r.name
   where r.name = _check_receiver.route and r.transport = 'postgres';
  if not found then
    raise exception using
      errcode = 'YD501',
      message = format('there is no route %s of transport postgres', coalesce(quote_literal(route), 'null')),
      detail = jsonb_build_object('kind', 'route', 'name', route),
      hint = format('Have an administrator run: select daybook.create_route(%L, ''postgres'', …); what another transport sends is not received here.', route);
  elsif _consumer.tenant_id is not null then
    perform daybook._tenant(_consumer.tenant_id);
  else
    perform daybook._check_not_narrowed(null);
    if daybook.visible_tenants() is not null then
      raise exception using
        errcode = 'YD201',
        message = format('route %s has messages of every tenant, and role %s has no grant for all of them', quote_ident(route), quote_ident(session_user)),
        detail = jsonb_build_object('tenant_id', '*', 'role', session_user),
        hint = format('Have an administrator run: select daybook.grant_tenant(%L, ''*''), or make a route for one tenant.', session_user);
    end if;
  end if;
  return _consumer;
end
$$;

comment on function daybook._check_receiver(text) is 'The consumer of a route that is received in SQL. Refuses other routes (YD501) and sessions that do not see all its messages (YD201, YD202).';
