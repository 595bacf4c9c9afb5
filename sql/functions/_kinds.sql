-- A loose index scan: one probe of each partition's index for each kind there is, however many events it has. It stays
-- within a tenant, as row security would have it look at each event of the tenants in between.
create or replace function daybook._kinds(tenants text[], categories text[], types text[])
returns table (tenant_id text, category text, type text)
language sql stable
as $$
  with recursive all_tenants as (
    (select l.tenant_id from daybook.event_log l where tenants is null order by l.tenant_id limit 1)
    union all
    select n.tenant_id
      from all_tenants e
     cross join lateral (
       select l.tenant_id from daybook.event_log l where l.tenant_id > e.tenant_id order by l.tenant_id limit 1) n
  ), kinds as (
    select n.tenant_id, n.category, n.type
      from (select e.tenant_id from all_tenants e union select t from unnest(tenants) t) a
     cross join lateral (
       select l.tenant_id, l.category, l.type from daybook.event_log l
        where l.tenant_id = a.tenant_id
        order by l.category, l.type
        limit 1) n
    union all
    select n.tenant_id, n.category, n.type
      from kinds k
     cross join lateral (
       select l.tenant_id, l.category, l.type from daybook.event_log l
        where l.tenant_id = k.tenant_id and (l.category, l.type) > (k.category, k.type)
        order by l.category, l.type
        limit 1) n
  )
  select k.tenant_id, k.category, k.type
    from kinds k
   where (categories is null or k.category = any (categories))
     and (types is null or k.type = any (types))
$$;

comment on function daybook._kinds(text[], text[], text[]) is 'The tenants, categories and types that occur in the log, of those asked for (null = all).';
