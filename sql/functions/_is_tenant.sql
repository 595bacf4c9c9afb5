create or replace function daybook._is_tenant(tenant_id text, visible text[]) returns boolean
language sql immutable parallel safe
return tenant_id <> '*' and length(tenant_id) between 1 and 255 and tenant_id !~ '[[:cntrl:]]' and coalesce(tenant_id = any (visible), true);

comment on function daybook._is_tenant(text, text[]) is 'Whether a tenant can be named like this, and is one of those visible (null = every one).';
