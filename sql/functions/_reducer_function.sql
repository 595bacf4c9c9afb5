-- By the catalogue, and not by regprocedure, which asks for rights on the schema: whoever calls it will be asked.
create or replace function daybook._reducer_function(function text) returns text
language plpgsql stable
as $$
declare
  _name text[];
  _found record;
  _problem text;
begin
  begin
    _name := parse_ident(regexp_replace(function, '\s*\(\s*jsonb\s*,\s*daybook\.event\s*\)\s*$', ''));
  exception when invalid_parameter_value then
    null;
  end;
  select n.nspname, p.proname, p.prokind, p.proretset, p.prorettype into _found
    from pg_proc p
    join pg_namespace n on n.oid = p.pronamespace
   where n.nspname = _name[1] and p.proname = _name[2] and cardinality(_name) = 2
     and p.pronargs = 2 and p.proargtypes[0] = 'jsonb'::regtype and p.proargtypes[1] = 'daybook.event'::regtype;
  _problem := case
    when not found then format('there is no function %s(jsonb, daybook.event): name it with its schema', coalesce(function, 'null'))
    when _found.prokind <> 'f' or _found.proretset or _found.prorettype <> 'jsonb'::regtype then 'a reducer returns jsonb'
  end;
  if _problem is not null then
    raise exception using
      errcode = 'YD611',
      message = format('%s is no reducer: %s', coalesce(quote_literal(function), 'null'), _problem),
      detail = jsonb_build_object('reducer', function, 'problems', jsonb_build_array(_problem)),
      hint = 'create function app.account(state jsonb, event daybook.event) returns jsonb language plpgsql immutable as …';
  end if;
  return format('%I.%I', _found.nspname, _found.proname);
end
$$;

comment on function daybook._reducer_function(text) is 'The full name of a function that folds events; refuses what cannot be one: YD611.';
