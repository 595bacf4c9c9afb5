create or replace function daybook._follows(consumers daybook.consumers[], prefix text) returns text
language sql immutable
as $$
  with wanted as (
    select c.tenant_id, c.types, c.categories from unnest(consumers) c
  ), conditions as (
    select 'true' as condition where exists (select from wanted w where w.tenant_id is null and w.types is null and w.categories is null)
    union all
    select format('%s.category = any (%L::text[])', prefix, array_agg(distinct t.category order by t.category)::text)
      from wanted w cross join unnest(w.categories) t(category) where w.tenant_id is null and w.types is null having count(*) > 0
    union all
    select format('%s.type = any (%L::text[])', prefix, array_agg(distinct t.type order by t.type)::text)
      from wanted w cross join unnest(w.types) t(type) where w.tenant_id is null and w.categories is null having count(*) > 0
    union all
    select distinct concat_ws(' and ', 'true',
             case when w.types is not null then format('%s.type = any (%L::text[])', prefix, w.types::text) end,
             case when w.categories is not null then format('%s.category = any (%L::text[])', prefix, w.categories::text) end,
             case when w.tenant_id is not null then format('%s.tenant_id = %L', prefix, w.tenant_id) end)
      from wanted w where w.tenant_id is not null or (w.types is not null and w.categories is not null)
  ), gate as (
    select string_agg(format('(%s)', c.condition), ' or ' order by length(c.condition), c.condition) as condition from conditions c
  )
  select coalesce(case when g.condition ~ '^\(true\)' then 'true' else g.condition end, 'false') from gate g
$$;

comment on function daybook._follows(daybook.consumers[], text) is 'An SQL condition: whether any of some consumers follows an event, whose tenant_id, category and type have a prefix.';
