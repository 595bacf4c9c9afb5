-- Each function that an append calls costs it some 4 µs. So the body of an apply function in PL/pgSQL is put into the door
-- itself, where it can be: not if it has settings of its own, or begins with an option of the compiler.
create or replace function daybook._make_inline_door(version daybook.projection_versions, function_name text) returns void
language plpgsql volatile
as $$
declare
  _function record;
  _refuse text := format('exception when others or assert_failure then perform daybook._refuse_append(%L, array[$1], sqlstate, sqlerrm); raise; end', version.name);
  _end text;
begin
  if version.takes = 'event' then
    select p.prosrc as body, p.proconfig as settings, p.proargnames[1] as argument, l.lanname as language
      into _function
      from pg_proc p
      join pg_language l on l.oid = p.prolang
     where p.pronamespace = to_regnamespace(quote_ident(version.schema_name)) and p.proname = function_name and p.proargtypes[0] = 'daybook.event'::regtype;
    if _function.language = 'plpgsql' and _function.settings is null then
      foreach _end in array array[';', ''] loop
        begin
          perform daybook._make_door(version.schema_name, 'daybook.event', 'void', format(
            E'<<%I>> %s begin\n%s\n%s\n%s', function_name, case when _function.argument <> '' then format('declare %I alias for $1;', _function.argument) end,
            _function.body, _end, _refuse));
          return;
        exception when syntax_error then
          null;
        end;
      end loop;
    end if;
  end if;
  perform daybook._make_door(version.schema_name, 'daybook.event', 'void', format(
    'declare _nothing boolean; begin _nothing := %I.%I(%s) is null; %s', version.schema_name, function_name,
    case version.takes when 'batch' then 'array[$1]' else '$1' end, _refuse));
end
$$;

comment on function daybook._make_inline_door(daybook.projection_versions, text) is
  'Makes the function by which an append applies its one event to a version. That raises YD607 where it fails.';
