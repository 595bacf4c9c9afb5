-- One statement, one snapshot: a stream that was parked before the position moved past it is seen as parked. A route's
-- messages are looked at from the oldest on, as many as may go and no further, whatever their age.
create or replace function daybook.forget_delivered(max_count integer default 10000) returns bigint
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  _count bigint;
begin
  with recursive names as (
    (select l.route from daybook.outbox_log l order by l.route limit 1)
    union all
    select (select l.route from daybook.outbox_log l where l.route > n.route order by l.route limit 1) from names n where n.route is not null
  ), bounds as (
    select n.route,
           least(
             (select min(c.position) from daybook.cursors c where c.kind = 'route' and c.name = n.route),
             (select min(p.position) - 1 from daybook.parked_streams p where p.kind = 'route' and p.name = n.route),
             (select min(o.position) - 1 from daybook.outbox_leases o where o.route = n.route)) as through,
           r.name is null as is_orphan
      from names n
      left join daybook.outbox_routes r on r.name = n.route
     where n.route is not null
  ), oldest as materialized (
    select l.place
      from bounds b
     cross join lateral (
       select o.ctid as place, o.written_at, o.position
         from daybook.outbox_log o
        where o.route = b.route and o.position <= case when b.is_orphan then 9223372036854775807 else b.through end
        order by o.position
        limit max_count) l
     where b.is_orphan or l.written_at < clock_timestamp() - (select s.outbox_retention from daybook.settings s)
     limit max_count)
  delete from daybook.outbox_log l where l.ctid = any (array(select o.place from oldest o));
  get diagnostics _count = row_count;
  return _count;
end
$$;

comment on function daybook.forget_delivered(integer) is
  'Deletes up to max_count messages that were delivered and are older than settings.outbox_retention, and what dropped routes have left, and returns how many. Never at or beyond the oldest message of a route that is parked or leased.';
