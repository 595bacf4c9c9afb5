-- A version has a copy of its own: what somebody does to the function afterwards (another body, dropping it) changes no
-- projection until replace_projection; and plans and types of one version are never those of another. A body that is parsed
-- when it is made (begin atomic, return) refers to the tables it was made with, and cannot be copied.
create or replace function daybook._apply_function(apply text, out problem text, out takes text, out name text, out definition text, out source text) returns record
language plpgsql stable
as $$
declare
  _names text[];
  _oid oid;
  _function record;
begin
  begin
    _names := parse_ident(apply);
  exception when invalid_parameter_value then
    null;
  end;
  if cardinality(_names) is distinct from 2 then
    problem := format('apply function %s is not named schema.function', coalesce(quote_literal(apply), 'null'));
    return;
  end if;

  _oid := coalesce(to_regprocedure(format('%I.%I(daybook.event[])', _names[1], _names[2])), to_regprocedure(format('%I.%I(daybook.event)', _names[1], _names[2])));
  select p.*, l.lanname, n.oid = pg_my_temp_schema() or pg_is_other_temp_schema(n.oid) as temporary
    into _function
    from pg_proc p
    join pg_language l on l.oid = p.prolang
    join pg_namespace n on n.oid = p.pronamespace
   where p.oid = _oid;
  problem := case
    when not found or _function.temporary then format('there is no function %s(daybook.event) or %1$s(daybook.event[])', apply)
    when _function.prokind <> 'f' or _function.proretset or _function.prorettype <> 'void'::regtype then format('%s does not return void', _oid::regprocedure)
    when _function.lanname not in ('sql', 'plpgsql') then format('%s is in %s, not in SQL or PL/pgSQL', _oid::regprocedure, _function.lanname)
    when _function.prosqlbody is not null then format('%s is bound to the tables it was made with (begin atomic, return): give it a body that is a string', _oid::regprocedure)
    when _function.prosecdef then format('%s is security definer: apply functions run as daybook_projector', _oid::regprocedure)
    when exists (select from unnest(_function.proconfig) c where c like 'search\_path=%') then
      format('%s sets search_path, which is the schema of the version', _oid::regprocedure)
  end;
  if problem is not null then
    return;
  end if;

  takes := case when _function.proargtypes[0] = 'daybook.event[]'::regtype then 'batch' else 'event' end;
  name := _function.proname;
  definition := format('(%s daybook.event%s) returns void language %s volatile %s as %L',
    case when _function.proargnames[1] <> '' then quote_ident(_function.proargnames[1]) end, case takes when 'batch' then '[]' end, _function.lanname,
    (select string_agg(format('set %I = %L', split_part(c, '=', 1), substr(c, strpos(c, '=') + 1)), ' ') from unnest(_function.proconfig) c),
    _function.prosrc);
  source := md5(definition);
end
$$;

comment on function daybook._apply_function(text) is
  'An apply function as a version takes it over: what it takes, its name, all of its definition behind the name, and a hash of that; or what is wrong with it.';
