create or replace function daybook._switch_views(live daybook.projection_versions, next daybook.projection_versions) returns void
language plpgsql volatile
as $$
declare
  _name text;
begin
  for _name in select t from jsonb_object_keys(next.tables) t order by t collate "C" loop
    perform daybook._make_view(next, _name);
  end loop;
  for _name in
    select t from jsonb_object_keys(live.tables) t
     where not next.tables ? t and to_regclass(format('%I.%I', live.view_schema, t)) is not null
     order by t collate "C"
  loop
    perform daybook._as_projector(format('drop view %I.%I', live.view_schema, _name));
  end loop;
end
$$;

comment on function daybook._switch_views(daybook.projection_versions, daybook.projection_versions) is
  'Has the views of a projection show its next version; those of tables it has no more are dropped. Raises 2BP01 where something rests on one that cannot stay.';
