create or replace function daybook.replace_projection(
  name text,
  apply text default null,
  tables jsonb default null,
  mode text default null,
  types text[] default null,
  categories text[] default null,
  setup text default null,
  revision integer default null,
  serialize boolean default null
) returns integer
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  _live daybook.projection_versions;
  _next daybook.projection_versions;
  _consumer daybook.consumers;
  _building integer;
  _broken text[];
begin
  perform daybook._check_not_narrowed(null);
  perform daybook._own_horizon();
  perform daybook._lock_projection(replace_projection.name);
  -- a switch that is being made is waited for, so that what is live is what it has left
  perform from daybook.projection_versions v where v.name = replace_projection.name and v.stage = 'building' for update;
  _live := daybook._projection_version(replace_projection.name, 'live');
  select v.version into _building from daybook.projection_versions v where v.name = _live.name and v.stage = 'building';
  if found then
    raise exception using
      errcode = 'YD605',
      message = format('version %s of projection %s is being built', _building, quote_literal(_live.name)),
      detail = jsonb_build_object('projection', _live.name, 'version', _building),
      hint = format('Wait until it has taken the place of the live one (select * from daybook.projections), or: select daybook.drop_rebuild(%L)', _live.name);
  end if;

  select k.* into _consumer from daybook.consumers k where k.kind = 'projection' and k.name = _live.consumer;
  _next := _live;
  _next.version := (select max(greatest(v.version, v.dropped_version)) + 1 from daybook.projection_versions v where v.name = _live.name);
  _next.apply := coalesce(replace_projection.apply, _live.apply);
  _next.tables := coalesce(replace_projection.tables, _live.tables);
  _next.mode := coalesce(replace_projection.mode, _live.mode);
  _next.setup := case when replace_projection.setup is null then _live.setup else nullif(replace_projection.setup, '') end;
  _next.serialize := coalesce(replace_projection.serialize, _live.serialize and _next.mode = 'inline');
  _next.revision := coalesce(replace_projection.revision, _live.revision);
  _consumer.types := coalesce(replace_projection.types, _consumer.types);
  _consumer.categories := coalesce(replace_projection.categories, _consumer.categories);
  _consumer.on_failure := case _next.mode when 'inline' then 'halt' else _consumer.on_failure end;
  _next := daybook._define_projection(_next, _consumer);
  _consumer := daybook._define_consumer(_consumer);
  if _next.revision < _live.revision then
    perform daybook._invalid_projection(_live.name, array[format('it is at revision %s, newer than %s', _live.revision, _next.revision)]);
  end if;

  _next.stage := 'building';
  _next.consumer := format('%s@%s', _next.name, _next.version);
  perform daybook._begin_version(_next, _consumer);
  _broken := daybook._broken_dependants(_live, _next);
  if cardinality(_broken) > 0 then
    raise exception using
      errcode = 'YD604',
      message = format('the views of projection %s cannot have this shape: %s %s on columns that change or go', quote_literal(_live.name), array_to_string(_broken, ', '), case cardinality(_broken) when 1 then 'rests' else 'rest' end),
      detail = jsonb_build_object('projection', _live.name, 'dependants', _broken),
      hint = 'Nothing was changed. Columns behind the others can be added at any time; for others drop what rests on them first, and make it again after the switch.';
  end if;
  perform daybook._audit('replace_projection', 'projection ' || _live.name, jsonb_build_object(
    'version', _next.version, 'version_before', _live.version, 'revision', _next.revision, 'apply', _next.apply));
  return _next.version;
end
$$;

comment on function daybook.replace_projection(text, text, jsonb, text, text[], text[], text, integer, boolean) is
  'Builds a new version of a projection beside the live one, which readers go on reading: its apply function as it is now, or another one, other tables, types (null = as they are; {} = all), mode. Once it has caught up it takes the live one''s place, in one short transaction. Returns its number; <name>@<number> is advanced as projections are. Raises YD601, YD602, YD604 where something rests on what would change, YD605 where one is being built.';
