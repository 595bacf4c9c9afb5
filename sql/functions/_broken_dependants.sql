create or replace function daybook._broken_dependants(live daybook.projection_versions, next daybook.projection_versions) returns text[]
language sql stable
as $$
  select array(
    select distinct d
      from jsonb_object_keys((live).tables) t(name)
     cross join lateral (select to_regclass(format('%I.%I', (live).view_schema, t.name)) as view,
                                to_regclass(format('%I.%I', (next).schema_name, t.name)) as "table") r
     cross join lateral unnest(daybook._view_dependants(r.view)) d
     where r.view is not null and (r."table" is null or not daybook._fits_view(r.view, r."table"))
     order by d)
$$;

comment on function daybook._broken_dependants(daybook.projection_versions, daybook.projection_versions) is
  'What rests on views of a projection that cannot stay what they are with its next version.';
