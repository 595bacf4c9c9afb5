create or replace function daybook._check_grant(role name, tenant_id text) returns void
language plpgsql stable
as $$
begin
  if not exists (select from pg_roles r where r.rolname = role) then
    raise exception using
      errcode = 'YD108',
      message = format('there is no database role %s', coalesce(quote_ident(role), 'null')),
      detail = jsonb_build_object('argument', 'role', 'value', role),
      hint = format('create role %1$s login; grant daybook_writer to %1$s;', coalesce(quote_ident(role), '…'));
  end if;
  if tenant_id is null or (tenant_id <> '*' and (length(tenant_id) not between 1 and 255 or tenant_id ~ '[[:cntrl:]]')) then
    raise exception using
      errcode = 'YD203',
      message = 'a tenant is named by 1 to 255 characters, none of them a control character',
      detail = jsonb_build_object('tenant_id', tenant_id),
      hint = 'Name one tenant, or * for every tenant.';
  end if;
end
$$;

comment on function daybook._check_grant(name, text) is 'Refuses grants to roles that do not exist (YD108) and of tenants that cannot be (YD203).';
