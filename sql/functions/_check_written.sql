create or replace function daybook._check_written(version daybook.projection_versions, before jsonb) returns void
language plpgsql volatile
as $$
declare
  _tables text[] := case when before is not null then array(
    select w.relation::regclass::text
      from daybook._written_elsewhere(version.schema_name) w
     where w.written > coalesce((before ->> w.relation::text)::bigint, 0)
     order by 1) end;
begin
  if cardinality(_tables) > 0 then
    raise exception using
      errcode = 'YD608',
      message = format('projection %s wrote to %s, which it did not declare', quote_ident(version.name), array_to_string(_tables, ', ')),
      detail = jsonb_build_object('projection', version.name, 'tables', _tables),
      hint = 'A projection writes to its own tables alone: what else it writes is neither rebuilt nor dropped with it. Declare the table, or write it in a handler.';
  end if;
end
$$;

comment on function daybook._check_written(daybook.projection_versions, jsonb) is
  'Raises YD608 where other tables than those of the version were written since; before null: not looked at.';
