create or replace function daybook._projection_version(consumer text, stage text default null) returns daybook.projection_versions
language plpgsql volatile
as $$
declare
  _version daybook.projection_versions;
begin
  select v.* into _version
    from daybook.projection_versions v
   where v.consumer = _projection_version.consumer and v.stage <> 'retired'
     and v.stage = coalesce(_projection_version.stage, v.stage);
  if not found then
    perform daybook._unknown_projection(_projection_version.consumer);
  end if;
  return _version;
end
$$;

comment on function daybook._projection_version(text, text) is
  'The version of a projection that a consumer stands for: <name> the live one, <name>@<version> the one that is being built; of a stage, if one is named. Raises YD601.';
