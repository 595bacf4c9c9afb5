create or replace function daybook.pause_route(name text, reason text default null) returns void
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  perform daybook._pause_consumer('route', pause_route.name, reason);
end
$$;

comment on function daybook.pause_route(text, text) is
  'Stops a route until resume_route: waits for the batch in hand, and when it has returned and is committed, the route sends nothing; messages are still written. Raises YD501.';
