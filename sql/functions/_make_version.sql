-- All that a definition says is run with the rights of daybook_projector.
create or replace function daybook._make_version(version daybook.projection_versions) returns void
language plpgsql volatile
-- whoever has made a function in SQL that names tables to come has it off, and may have it off still
set check_function_bodies = on
as $$
declare
  _schema text := version.schema_name;
  _function record := daybook._apply_function(version.apply);
  _table record;
  _at text;
  _problems text[];
begin
  execute format('create schema %I authorization daybook_projector', _schema);
  execute format('comment on schema %I is %L', _schema, format('Version %s of projection %s. Read it through its views in schema %s.', version.version, version.name, version.view_schema));
  begin
    for _table in select t.key as name, t.value as columns from jsonb_each_text(version.tables) t order by t.key collate "C" loop
      _at := 'table ' || quote_ident(_table.name);
      perform daybook._as_projector(format('create table %I (%s)', _table.name, _table.columns), _schema);
    end loop;
    if version.setup ~ '\S' then
      _at := 'setup';
      perform daybook._as_projector(version.setup, _schema);
    end if;
    if version.takes <> 'typescript' then
      _at := 'apply function ' || version.apply;
      perform daybook._as_projector(format('create function %I%s', _function.name, _function.definition), _schema);
      perform daybook._as_projector(format('revoke all on function %I(daybook.event%s) from public', _function.name, case version.takes when 'batch' then '[]' end), _schema);
    end if;
  exception
    when transaction_rollback or operator_intervention or insufficient_resources or system_error then
      raise;
    when others then
      perform daybook._invalid_projection(version.name, array[format('%s: %s', _at, sqlerrm)]);
  end;
  _problems := daybook._table_problems(version);
  if cardinality(_problems) > 0 then
    perform daybook._invalid_projection(version.name, _problems);
  end if;

  if version.takes <> 'typescript' then
    perform daybook._make_door(_schema, 'events daybook.event[]', 'boolean', case version.takes
      when 'batch' then format('begin return %I.%I(events) is null; end', _schema, _function.name)
      else format('declare _event daybook.event; _nothing boolean; begin foreach _event in array events loop _nothing := %I.%I(_event) is null; end loop; return _nothing; end',
                  _schema, _function.name)
    end);
    if version.mode = 'inline' then
      perform daybook._make_inline_door(version, _function.name);
    end if;
  else
    -- its code runs in a worker
    perform daybook._as_projector(format('grant usage on schema %I to daybook_worker', _schema), _schema);
    perform daybook._as_projector(format('grant select, insert, update, delete on all tables in schema %I to daybook_worker', _schema), _schema);
    perform daybook._as_projector(format('grant usage, select on all sequences in schema %I to daybook_worker', _schema), _schema);
  end if;
end
$$;

comment on function daybook._make_version(daybook.projection_versions) is
  'Makes the schema of a version: its tables, what its setup makes, its copy of the apply function, and the door through which that is called. Raises YD602.';
