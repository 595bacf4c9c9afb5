create or replace function daybook.drop_route(name text, reason text) returns void
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  _undelivered bigint;
begin
  perform daybook._check_not_narrowed(null);
  perform daybook._check_reason(reason, 'drop_route');

  lock table daybook.outbox_routes in share row exclusive mode;
  perform daybook._enter_route(drop_route.name, true);
  -- whoever is sending has finished its batch when we have this
  perform daybook._lock_consumer('route', drop_route.name);
  select count(*) into _undelivered from daybook.outbox o where o.route = drop_route.name;
  update daybook.dead_letters_log d
     set state = 'discarded', state_reason = reason, changed_at = clock_timestamp()
   where d.kind = 'route' and d.name = drop_route.name and d.state in ('waiting', 'retrying');
  delete from daybook.outbox_leases l where l.route = drop_route.name;
  delete from daybook.parked_streams p where p.kind = 'route' and p.name = drop_route.name;
  delete from daybook.cursors c where c.kind = 'route' and c.name = drop_route.name;
  delete from daybook.consumers c where c.kind = 'route' and c.name = drop_route.name;
  delete from daybook.outbox_routes r where r.name = drop_route.name;
  delete from daybook.outbox_log l where l.route = drop_route.name;
  perform daybook._remake_routing();
  perform daybook._audit('drop_route', 'route ' || drop_route.name, jsonb_build_object('reason', reason, 'undelivered', _undelivered));
  -- see _outlive_dropped_route
  perform set_config('daybook.dropped_routes', concat(current_setting('daybook.dropped_routes', true), ' ', hashtext(drop_route.name)), true);
end
$$;

comment on function daybook.drop_route(text, text) is
  'Drops a route, and with it its messages, the undelivered ones too; its open dead letters are discarded. The audit has the reason and how many were undelivered. Raises YD501, YD506, and YD202 in a narrowed session.';
