-- A loose index scan: one probe of each partition's index for each kind there is, however many events it has.
create or replace function daybook._kinds(tenants text[], categories text[], types text[])
returns table (tenant_id text, category text, type text)
language sql stable
as $$
  with recursive kinds as (
    (select l.tenant_id, l.category, l.type from daybook.event_log l
      order by l.tenant_id, l.category, l.type limit 1)
    union all
    select n.tenant_id, n.category, n.type
      from kinds k
     cross join lateral (
       select l.tenant_id, l.category, l.type from daybook.event_log l
        where (l.tenant_id, l.category, l.type) > (k.tenant_id, k.category, k.type)
        order by l.tenant_id, l.category, l.type
        limit 1) n
  )
  select k.tenant_id, k.category, k.type
    from kinds k
   where (tenants is null or k.tenant_id = any (tenants))
     and (categories is null or k.category = any (categories))
     and (types is null or k.type = any (types))
$$;

comment on function daybook._kinds(text[], text[], text[]) is 'The tenants, categories and types that occur in the log, of those asked for (null = all).';
