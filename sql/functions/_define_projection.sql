create or replace function daybook._define_projection(version daybook.projection_versions, consumer daybook.consumers) returns daybook.projection_versions
language plpgsql stable
as $$
declare
  _defined daybook.projection_versions := version;
  _function record;
  _problems text[];
begin
  consumer := daybook._define_consumer(consumer);
  _problems := daybook._projection_problems(version, consumer);
  if version.apply is not null then
    _function := daybook._apply_function(version.apply);
    _defined.takes := _function.takes;
    _defined.source := _function.source;
    if _function.problem is not null then
      _problems := _problems || _function.problem;
    end if;
  else
    _defined.takes := 'typescript';
  end if;
  if cardinality(_problems) > 0 then
    perform daybook._invalid_projection(version.name, _problems);
  end if;
  _defined.schema_name := daybook._version_schema(version.name, version.version);
  return _defined;
end
$$;

comment on function daybook._define_projection(daybook.projection_versions, daybook.consumers) is
  'A version with what follows from its definition; refuses definitions that cannot be: YD602.';
