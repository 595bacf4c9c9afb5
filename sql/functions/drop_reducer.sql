create or replace function daybook.drop_reducer(name text, reason text default null) returns void
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  delete from daybook.reducer_definitions r where r.name = drop_reducer.name;
  if not found then
    raise exception using
      errcode = 'YD610',
      message = format('there is no reducer %s', coalesce(quote_literal(name), 'null')),
      detail = jsonb_build_object('reducer', name),
      hint = 'The view daybook.reducers lists them.';
  end if;
  delete from daybook.snapshots_log s where s.source = 'sql' and s.reducer = drop_reducer.name;
  perform daybook._audit('drop_reducer', 'reducer ' || name, jsonb_build_object('reason', reason));
end
$$;

comment on function daybook.drop_reducer(text, text) is 'Drops a reducer and its snapshots; the function stays. Raises YD610.';
