create or replace function daybook.drop_rebuild(name text, reason text default null) returns boolean
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  _version daybook.projection_versions;
begin
  perform daybook._check_not_narrowed(null);
  perform daybook._lock_projection(drop_rebuild.name);
  perform daybook._projection_version(drop_rebuild.name, 'live');
  -- whoever has it in hand has finished its batch when we have this; with it, it may have taken the live one's place
  perform from daybook.cursors c
    where c.kind = 'projection' and c.name in (
      select v.consumer from daybook.projection_versions v where v.name = drop_rebuild.name and v.stage = 'building')
      for update;
  select v.* into _version from daybook.projection_versions v where v.name = drop_rebuild.name and v.stage = 'building';
  if not found then
    return false;
  end if;
  perform daybook._drop_consumer(_version.consumer, coalesce(reason, 'the rebuild was dropped'));
  delete from daybook.projection_versions v where v.name = _version.name and v.version = _version.version;
  -- whoever has heard of this number must not take a later version for it
  update daybook.projection_versions v set dropped_version = _version.version where v.name = _version.name and v.stage = 'live';
  perform daybook._drop_version(_version.schema_name);
  perform daybook._audit('drop_rebuild', 'projection ' || drop_rebuild.name, jsonb_build_object('version', _version.version, 'reason', reason));
  return true;
end
$$;

comment on function daybook.drop_rebuild(text, text) is
  'Drops the version of a projection that is being built; the live one is not touched, and the number is not used again. False: none was being built (it may just have taken its place). Raises YD601.';
