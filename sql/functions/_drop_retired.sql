create or replace function daybook._drop_retired(projection text default null) returns integer
language plpgsql volatile
as $$
declare
  _version daybook.projection_versions;
  _tables text;
  _count integer := 0;
begin
  for _version in
    select v.* from daybook.projection_versions v
     where v.stage = 'retired' and v.name = coalesce(_drop_retired.projection, v.name)
     order by v.name, v.version
       for update skip locked
  loop
    begin
      _tables := (
        select string_agg(c.oid::regclass::text, ', ' order by c.oid) from pg_class c
         where c.relnamespace = to_regnamespace(quote_ident(_version.schema_name)) and c.relkind in ('r', 'p'));
      if _tables is not null then
        execute format('lock table %s in access exclusive mode nowait', _tables);
      end if;
      perform daybook._drop_version(_version.schema_name);
      delete from daybook.projection_versions v where v.name = _version.name and v.version = _version.version;
      _count := _count + 1;
    exception
      when lock_not_available then
        null;
      when dependent_objects_still_exist then
        update daybook.projection_versions v set state_reason = sqlerrm where v.name = _version.name and v.version = _version.version;
    end;
  end loop;
  return _count;
end
$$;

comment on function daybook._drop_retired(text) is
  'Drops old versions of projections that nobody has open and nothing rests on, waiting for nobody; of all projections, or one. Returns how many.';
