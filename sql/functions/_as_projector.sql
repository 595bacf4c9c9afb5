create or replace function daybook._as_projector(statement text, schema text default null) returns void
language sql volatile
as $$
  select daybook_doors.run(_as_projector.statement, _as_projector.schema)
$$;

comment on function daybook._as_projector(text, text) is
  'Runs a statement with the rights of daybook_projector, and with a schema first on its search_path: what the definition of a projection has in it.';
