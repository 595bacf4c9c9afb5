create or replace function daybook.reset_projection(name text, reason text default null) returns bigint
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
set lock_timeout = '500ms'
as $$
declare
  _version daybook.projection_versions;
begin
  perform daybook._projection_version(reset_projection.name);
  perform daybook._check_not_narrowed(null);
  perform daybook._stop_inline(reset_projection.name, 'running', null);
  -- it may have been switched while it was waited for
  _version := daybook._projection_version(reset_projection.name);
  perform daybook._reset_consumer('projection', reset_projection.name, _version.start_position::text, reset_projection.reason);
  if _version.tables <> '{}' then
    perform daybook._as_projector((
      select 'truncate ' || string_agg(format('%I.%I', _version.schema_name, t), ', ') || ' restart identity' from jsonb_object_keys(_version.tables) t));
  end if;
  update daybook.projection_versions v
     set handled = 0, checked = 0, attempts = 0, switch_at = null, waits_for = null, state_reason = null, begun_at = clock_timestamp(),
         begun_position = coalesce(pg_sequence_last_value('daybook.positions'::regclass), 0)
   where v.name = _version.name and v.version = _version.version;
  return _version.start_position;
end
$$;

comment on function daybook.reset_projection(text, text) is
  'Empties the tables of a projection and has it begin again: readers see it fill. To build it anew behind readers'' backs: rebuild_projection. Returns the position. Raises YD601, and 55P03 where somebody has it in hand or open for longer.';
