create or replace function daybook._is_trusted_reducer(function text) returns boolean
language sql stable
as $$
  select exists (
    select
      from pg_proc p
      join pg_namespace n on n.oid = p.pronamespace
      join pg_roles o on o.oid = p.proowner
     where (n.nspname, p.proname) = ((parse_ident(function))[1], (parse_ident(function))[2])
       and p.pronargs = 2 and p.proargtypes[0] = 'jsonb'::regtype and p.proargtypes[1] = 'daybook.event'::regtype
       and (o.rolsuper or o.rolname = current_user
            or p.proowner = (select d.nspowner from pg_namespace d where d.nspname = 'daybook')))
$$;

comment on function daybook._is_trusted_reducer(text) is
  'Whether the function of a reducer belongs to the owner of Daybook, a superuser or the caller: whoever does not know it runs no other.';
