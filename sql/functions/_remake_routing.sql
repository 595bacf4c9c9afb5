-- The routes as constants of functions: an append reads no table to learn that no route wants its event, and the first
-- question, _routed, is folded into its plans. _mapping refers to the mapping functions themselves and not by name:
-- nobody can put another function in the place of one that runs with the rights of the owner. (Whoever owns its schema can
-- drop it by force, so each is looked at again here.)
create or replace function daybook._remake_routing() returns void
language plpgsql volatile
as $$
declare
  _gate text;
  _rules daybook.route_rule[];
  _cases text;
begin
  with wanted as (
    select c.tenant_id, c.types, c.categories
      from daybook.outbox_routes r
      join daybook.consumers c on c.kind = 'route' and c.name = r.name
     where not r.direct
  ), conditions as (
    select 'true' as condition where exists (select from wanted w where w.tenant_id is null and w.types is null and w.categories is null)
    union all
    select format('_routed.category = any (%L::text[])', array_agg(distinct t.category order by t.category)::text)
      from wanted w cross join unnest(w.categories) t(category) where w.tenant_id is null and w.types is null having count(*) > 0
    union all
    select format('_routed.type = any (%L::text[])', array_agg(distinct t.type order by t.type)::text)
      from wanted w cross join unnest(w.types) t(type) where w.tenant_id is null and w.categories is null having count(*) > 0
    union all
    select distinct concat_ws(' and ', 'true',
             case when w.types is not null then format('_routed.type = any (%L::text[])', w.types::text) end,
             case when w.categories is not null then format('_routed.category = any (%L::text[])', w.categories::text) end,
             case when w.tenant_id is not null then format('_routed.tenant_id = %L', w.tenant_id) end)
      from wanted w where w.tenant_id is not null or (w.types is not null and w.categories is not null)
  )
  select string_agg(format('(%s)', c.condition), ' or ' order by length(c.condition), c.condition) into _gate from conditions c;
  execute format(
    'create or replace function %s returns boolean language sql immutable parallel safe return %s',
    'daybook._routed(tenant_id text, category text, type text)',
    coalesce(case when _gate ~ '^\(true\)' then 'true' else _gate end, 'false'));

  select array_agg(row(
           r.name, c.tenant_id, c.types, c.categories, daybook._topic_pattern(r.topic), r.public_name, r.public_version,
           r.mapping is not null, r.direct)::daybook.route_rule order by r.name),
         string_agg(format('when %L then %s(_mapping.event)', r.name, regexp_replace(daybook._mapping_name(r.name, r.mapping), '\(daybook\.event\)$', '')), ' ' order by r.name)
           filter (where r.mapping is not null)
    into _rules, _cases
    from daybook.outbox_routes r
    join daybook.consumers c on c.kind = 'route' and c.name = r.name;
  perform daybook._set_constant('_routes', 'daybook.route_rule[]', coalesce(_rules, '{}')::text);
  execute format(
    'create or replace function %s returns jsonb language sql volatile return %s',
    'daybook._mapping(route text, event daybook.event)',
    coalesce('case _mapping.route ' || _cases || ' end', 'null::jsonb'));
end
$$;

comment on function daybook._remake_routing() is 'Makes _routed, _routes and _mapping anew from the tables of routes.';
