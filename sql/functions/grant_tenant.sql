create or replace function daybook.grant_tenant(role name, tenant_id text) returns void
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  perform daybook._check_grant(role, grant_tenant.tenant_id);
  if grant_tenant.tenant_id = '*' then
    execute format('grant select on daybook.every_tenant to %I', role);
  else
    insert into daybook.tenant_grants as g (tenant_id, role) values (grant_tenant.tenant_id, quote_ident(role)::regrole) on conflict do nothing;
  end if;
end
$$;

comment on function daybook.grant_tenant(name, text) is 'Lets a database role, and its members, see and write a tenant; * = every tenant. What it may do there, the roles daybook_reader, _writer, _worker and _admin say.';
