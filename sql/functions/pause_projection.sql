create or replace function daybook.pause_projection(name text, reason text default null) returns void
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  perform daybook._projection_version(pause_projection.name);
  perform daybook._stop_inline(pause_projection.name, 'paused', pause_projection.reason);
  perform daybook._pause_consumer('projection', pause_projection.name, pause_projection.reason);
end
$$;

comment on function daybook.pause_projection(text, text) is
  'Stops a projection (or <name>@<version>, that is being built) where it is, until resume_projection; an inline one too: appends no longer write to it. Raises YD601, and 55P03 where appends cannot be held up for that.';
