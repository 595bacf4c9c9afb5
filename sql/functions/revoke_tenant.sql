create or replace function daybook.revoke_tenant(role name, tenant_id text) returns void
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  perform daybook._check_grant(role, revoke_tenant.tenant_id);
  if revoke_tenant.tenant_id = '*' then
    execute format('revoke select on daybook.every_tenant from %I', role);
  else
    delete from daybook.tenant_grants g where g.tenant_id = revoke_tenant.tenant_id and g.role = quote_ident(revoke_tenant.role)::regrole;
  end if;
end
$$;

comment on function daybook.revoke_tenant(name, text) is 'Takes back what grant_tenant gave. A role that is left with no grant at all has the tenant default.';
