create or replace function daybook._make_door(schema_name text, takes text, returns text, body text) returns void
language plpgsql volatile
set check_function_bodies = on
as $$
declare
  _door text := format('daybook_doors.%I(%s)', _make_door.schema_name, _make_door.takes);
begin
  execute format(
    'create function %s returns %s language plpgsql volatile security definer set search_path = %I, pg_temp as %L',
    _door, _make_door.returns, _make_door.schema_name, _make_door.body);
  execute format('revoke all on function %s from public', _door);
  if (select r.rolsuper from pg_roles r where r.rolname = current_user) then
    execute format('alter function %s owner to daybook_projector', _door);
    return;
  end if;

  -- to be given a function, a role must be allowed to create in its schema; nobody sees that it was, and one at a time does it
  perform pg_advisory_xact_lock(1145196370, 0);
  grant create on schema daybook_doors to daybook_projector;
  execute format('alter function %s owner to daybook_projector', _door);
  revoke create on schema daybook_doors from daybook_projector;
end
$$;

comment on function daybook._make_door(text, text, text, text) is
  'Makes a function by which events are applied to a version, with the rights of daybook_projector and the version''s schema first on search_path. Named like that schema. Raises 42601 where its body is no PL/pgSQL.';
