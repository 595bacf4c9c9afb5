create or replace function daybook.create_projection(
  name text,
  apply text default null,
  tables jsonb default '{}',
  mode text default 'async',
  types text[] default null,
  categories text[] default null,
  start_from text default 'start',
  on_failure text default 'halt',
  max_attempts integer default 5,
  base_delay interval default '1 second',
  max_delay interval default '5 minutes',
  setup text default null,
  schema text default 'daybook_projections',
  serialize boolean default false,
  revision integer default 1,
  tenant_id text default null
) returns boolean
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  _version daybook.projection_versions;
  _consumer daybook.consumers;
  _there daybook.projection_versions;
begin
  if create_projection.tenant_id is not null then
    perform daybook._tenant(create_projection.tenant_id);
  end if;
  perform daybook._check_not_narrowed(null);
  perform daybook._settled(0);
  _version.name := create_projection.name;
  _version.version := 1;
  _version.apply := create_projection.apply;
  _version.tables := create_projection.tables;
  _version.mode := create_projection.mode;
  _version.setup := nullif(create_projection.setup, '');
  _version.view_schema := create_projection.schema;
  _version.serialize := create_projection.serialize;
  _version.revision := create_projection.revision;
  _version.start_position := daybook._start_position(start_from);
  _consumer.name := create_projection.name;
  _consumer.tenant_id := create_projection.tenant_id;
  _consumer.types := create_projection.types;
  _consumer.categories := create_projection.categories;
  _consumer.on_failure := case create_projection.mode when 'inline' then 'halt' else create_projection.on_failure end;
  _consumer.max_attempts := create_projection.max_attempts;
  _consumer.base_delay := create_projection.base_delay;
  _consumer.max_delay := create_projection.max_delay;

  perform daybook._lock_projection(create_projection.name);
  -- an older process of a rolling deploy leaves what is newer as it is
  select v.* into _there from daybook.projection_versions v
   where v.name = create_projection.name and v.stage in ('live', 'building')
   order by v.stage limit 1;
  if found and create_projection.revision < _there.revision then
    return false;
  end if;
  _version := daybook._define_projection(_version, _consumer);
  _consumer := daybook._define_consumer(_consumer);
  if _there.name is not null then
    return daybook._same_projection(_there, _version, _consumer);
  end if;

  -- a worker may say at its start which projections it knows; who makes one is an administrator
  if not pg_has_role(session_user, 'daybook_admin', 'usage') then
    raise exception using
      errcode = '42501',
      message = format('role %s may not make projection %s', quote_ident(session_user), quote_ident(create_projection.name)),
      hint = 'Have an administrator (daybook_admin) create the projection as the worker has it.';
  end if;
  _version.stage := 'live';
  _version.consumer := _version.name;
  perform daybook._begin_version(_version, _consumer);
  perform daybook._switch_views(_version, _version);
  if _version.mode = 'inline' then
    -- a log of this length is applied at once, if appends can be held up for it; a longer one is followed first
    perform daybook._try_switch(_version.name, 10000);
  end if;
  perform daybook._audit('create_projection', 'projection ' || _version.name, to_jsonb(_version) - '{name,consumer,stage,schema_name}'::text[]);
  return true;
end
$$;

comment on function daybook.create_projection(text, text, jsonb, text, text[], text[], text, text, integer, interval, interval, text, text, boolean, integer, text) is
  'Makes a projection: apply (schema.function(event daybook.event) or (events daybook.event[]); null = code in TypeScript) turns the events it follows into rows of its tables ({"name": "columns"}), and readers see these through views of the same names in schema. async: it follows the log (advance_projection); inline: appends apply their events themselves, once it has caught up. setup: statements for each version (indexes). Returns true if it was made, false if it was there and is the same, or has a higher revision; how it fails (on_failure, attempts, delays) is brought up to date. Raises YD602, YD603 where it is there and another one. Takes daybook_admin, unless nothing changes.';
