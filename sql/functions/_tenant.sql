create or replace function daybook._tenant(tenant_id text) returns text
language plpgsql stable
as $$
declare
  _narrowed text := nullif(current_setting('daybook.tenant', true), '');
  _tenant text := coalesce(_tenant.tenant_id, _narrowed, 'default');
begin
  if _tenant <> _narrowed then
    raise exception using
      errcode = 'YD202',
      message = format('this session is narrowed to tenant %s, not %s', quote_ident(_narrowed), quote_ident(_tenant)),
      detail = jsonb_build_object('tenant_id', _tenant, 'narrowed_to', _narrowed),
      hint = 'Leave tenant_id out, or start a transaction without the setting daybook.tenant.';
  end if;

  if length(_tenant) not between 1 and 255 or _tenant ~ '[[:cntrl:]]' or _tenant = '*' then
    raise exception using
      errcode = 'YD203',
      message = 'a tenant is named by 1 to 255 characters, none of them a control character, and not by *',
      detail = jsonb_build_object('tenant_id', _tenant),
      hint = 'Pass the name of one tenant, or leave tenant_id out.';
  end if;

  if not coalesce(_tenant = any (daybook.visible_tenants()), true) then
    raise exception using
      errcode = 'YD201',
      message = format('role %s has no grant for tenant %s', quote_ident(session_user), quote_ident(_tenant)),
      detail = jsonb_build_object('tenant_id', _tenant, 'role', session_user),
      hint = format('Have an administrator run: select daybook.grant_tenant(%L, %L)', session_user, _tenant);
  end if;

  return _tenant;
end
$$;

comment on function daybook._tenant(text) is
  'The tenant a call works on: the one named, else the one the session is narrowed to, else default. Raises YD201, YD202 or YD203.';
