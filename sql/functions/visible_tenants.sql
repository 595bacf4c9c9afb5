create or replace function daybook.visible_tenants() returns text[]
language plpgsql stable security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  _narrowed text := nullif(current_setting('daybook.tenant', true), '');
  _granted text[];
begin
  if not has_table_privilege(session_user, 'daybook.every_tenant'::regclass, 'select') then
    select array_agg(g.tenant_id) into _granted
      from daybook.tenant_grants g
     where pg_has_role(session_user, g.role, 'usage');
    _granted := coalesce(_granted, array['default']);
  end if;

  if _narrowed is null then
    return _granted;
  elsif _narrowed = any (_granted) or _granted is null then
    return array[_narrowed];
  else
    return '{}';
  end if;
end
$$;

comment on function daybook.visible_tenants() is
  'The tenants this session may see and write: its grants, or the one tenant that the transaction is narrowed to with set local daybook.tenant. Null = every tenant. A role that was granted none has the tenant default.';
