-- A mapping runs inside append, and so with the rights of the owner of Daybook. Only code that is the owner's already, or
-- a superuser's, may: whoever could change it could do so anyway.
create or replace function daybook._mapping_name(route text, mapping text) returns text
language plpgsql stable
as $$
declare
  _oid oid;
  _function record;
  _problem text;
begin
  if mapping is null then
    return null;
  end if;
  begin
    _oid := to_regprocedure(regexp_replace(mapping, '\s*\(\s*daybook\.event\s*\)\s*$', '') || '(daybook.event)');
  exception when syntax_error or invalid_name or invalid_text_representation then
    null;
  end;
  select n.nspname, p.proname, p.prokind, p.proretset, p.prorettype, o.rolsuper or o.rolname = current_user as trusted,
         has_function_privilege(p.oid, 'execute') as executable, n.oid = pg_my_temp_schema() or pg_is_other_temp_schema(n.oid) as temporary
    into _function
    from pg_proc p
    join pg_namespace n on n.oid = p.pronamespace
    join pg_roles o on o.oid = p.proowner
   where p.oid = _oid;
  _problem := case
    when _oid is null or _function.temporary then 'there is no function ' || mapping || '(daybook.event): name it with its schema'
    when _function.prokind <> 'f' or _function.proretset or _function.prorettype <> 'jsonb'::regtype then 'a mapping function returns jsonb'
    when not _function.trusted then format('a mapping function belongs to %s or a superuser: it runs with the rights of %1$s', quote_ident(current_user))
    when not _function.executable then format('%s may not execute it', quote_ident(current_user))
  end;
  if _problem is not null then
    raise exception using
      errcode = 'YD505',
      message = format('mapping of route %s: %s', quote_ident(route), _problem),
      detail = jsonb_build_object('route', route, 'mapping', mapping, 'problems', jsonb_build_array(_problem)),
      hint = 'create function app.public_event(event daybook.event) returns jsonb language sql immutable return …';
  end if;
  return format('%I.%I(daybook.event)', _function.nspname, _function.proname);
end
$$;

comment on function daybook._mapping_name(text, text) is 'The full name of a mapping function; refuses what cannot be one: YD505.';
