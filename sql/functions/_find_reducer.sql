create or replace function daybook._find_reducer(reducer text) returns daybook.reducer_definitions
language plpgsql stable
as $$
declare
  _reducer daybook.reducer_definitions;
begin
  if reducer ~ '\.' then
    _reducer.function := reducer;
    _reducer.initial := '{}';
  else
    select r.* into _reducer from daybook.reducer_definitions r where r.name = _find_reducer.reducer;
    if not found then
      raise exception using
        errcode = 'YD610',
        message = format('there is no reducer %s', coalesce(quote_literal(reducer), 'null')),
        detail = jsonb_build_object('reducer', reducer),
        hint = 'The view daybook.reducers lists them; create_reducer makes one. A function that is no reducer is named with its schema: app.account.';
    end if;
  end if;
  _reducer.function := daybook._reducer_function(_reducer.function);
  return _reducer;
end
$$;

comment on function daybook._find_reducer(text) is
  'The reducer of this name, or, for schema.function, one without name and version. Raises YD610 and YD611.';
