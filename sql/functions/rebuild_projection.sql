create or replace function daybook.rebuild_projection(name text) returns integer
language sql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
  select daybook.replace_projection(rebuild_projection.name)
$$;

comment on function daybook.rebuild_projection(text) is
  'Builds a projection anew from the log, beside the live version: replace_projection with nothing changed (but for its apply function, which is taken as it is now). Returns the number of the version. Raises YD601, YD602, YD605.';
