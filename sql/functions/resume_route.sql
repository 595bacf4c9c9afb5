create or replace function daybook.resume_route(name text) returns void
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  perform daybook._resume_consumer('route', resume_route.name);
end
$$;

comment on function daybook.resume_route(text) is
  'Lets a route go on that was paused, or that was halted by a failure: the message that failed is tried at once, with all its tries before it. One that waits because its transport took nothing tries at once. Raises YD501.';
