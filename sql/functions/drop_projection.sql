create or replace function daybook.drop_projection(name text, reason text default null, cascade boolean default false) returns void
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
set lock_timeout = '500ms'
as $$
declare
  _live daybook.projection_versions;
  _version daybook.projection_versions;
  _dependants text[];
  _view text;
begin
  perform daybook._check_not_narrowed(null);
  perform daybook._lock_projection(drop_projection.name);
  perform daybook._projection_version(drop_projection.name, 'live');
  perform daybook._stop_inline(drop_projection.name, 'paused', drop_projection.reason);
  -- it may have been switched while it was waited for
  _live := daybook._projection_version(drop_projection.name, 'live');
  _dependants := array(
    select d from jsonb_object_keys(_live.tables) t cross join lateral unnest(daybook._view_dependants(to_regclass(format('%I.%I', _live.view_schema, t)))) d order by d);
  if cardinality(_dependants) > 0 and not drop_projection.cascade then
    raise exception using
      errcode = 'YD604',
      message = format('%s %s on the views of projection %s', array_to_string(_dependants, ', '), case cardinality(_dependants) when 1 then 'rests' else 'rest' end, quote_literal(_live.name)),
      detail = jsonb_build_object('projection', _live.name, 'dependants', _dependants),
      hint = format('Drop what rests on them first, or with the projection: select daybook.drop_projection(%L, cascade => true)', _live.name);
  end if;

  for _version in select v.* from daybook.projection_versions v where v.name = _live.name order by v.version loop
    if _version.stage <> 'retired' then
      perform daybook._lock_consumer('projection', _version.consumer);
      perform daybook._drop_consumer(_version.consumer, coalesce(drop_projection.reason, 'the projection was dropped'));
    end if;
  end loop;
  for _view in select format('%I.%I', _live.view_schema, t) from jsonb_object_keys(_live.tables) t loop
    perform daybook._as_projector(format('drop view if exists %s%s', _view, case when drop_projection.cascade then ' cascade' end));
  end loop;
  for _version in select v.* from daybook.projection_versions v where v.name = _live.name order by v.version loop
    perform daybook._drop_version(_version.schema_name);
  end loop;
  delete from daybook.projection_versions v where v.name = _live.name;
  perform daybook._audit('drop_projection', 'projection ' || _live.name, jsonb_build_object('reason', reason, 'dependants', _dependants));
end
$$;

comment on function daybook.drop_projection(text, text, boolean) is
  'Drops a projection: its views, its tables, what is being built, its position; its open dead letters are discarded. Refused where something rests on its views (YD604), unless cascade. Raises YD601, and 55P03 where somebody has it in hand or open for longer.';
