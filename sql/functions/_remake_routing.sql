-- The routes as constants of functions: an append reads no table to learn that no route wants its event, and the first
-- question, _watched, is folded into its plans. _mapping refers to the mapping functions themselves and not by name:
-- nobody can put another function in the place of one that runs with the rights of the owner. (Whoever owns its schema can
-- drop it by force, so each is looked at again here.)
create or replace function daybook._remake_routing() returns void
language plpgsql volatile
as $$
declare
  _rules daybook.route_rule[];
  _cases text;
begin
  -- of an older snapshot, what others have made since would be left out
  perform daybook._settled(0);
  execute format(
    'create or replace function %s returns boolean language sql immutable parallel safe return %s',
    'daybook._routed(tenant_id text, category text, type text)',
    daybook._follows(array(
      select c
        from daybook.outbox_routes r
        join daybook.consumers c on c.kind = 'route' and c.name = r.name
       where not r.direct), '_routed'));

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
  perform daybook._remake_watching();
end
$$;

comment on function daybook._remake_routing() is 'Makes _routed, _routes and _mapping anew from the tables of routes, and what appends ask with them.';
