create or replace function daybook.resume_projection(name text) returns void
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  perform daybook._projection_version(resume_projection.name);
  if (daybook._lock_consumer('projection', resume_projection.name)).state <> 'inline' then
    perform daybook._resume_consumer('projection', resume_projection.name);
    update daybook.projection_versions v set attempts = 0, switch_at = null, waits_for = null, state_reason = null where v.consumer = resume_projection.name and v.stage <> 'retired';
  end if;
end
$$;

comment on function daybook.resume_projection(text) is
  'Has a paused or halted projection (or <name>@<version>, that is being built) go on from where it is. An inline one follows the log until it has caught up; then appends keep it up to date again. Raises YD601.';
