-- Under the lock of the route's cursor, which is what makes "no lease, not parked" true until the position has moved: only
-- its holder makes leases, takes them away, or parks one.
create or replace function daybook._pull_leases(route text, "position" bigint, horizon bigint, max_count integer) returns bigint
language plpgsql volatile
as $$
declare
  _seen record;
begin
  with stretch as materialized (
    select l.position, l.tenant_id, l.stream_id, l.message_id
      from daybook.outbox_log l
     where l.route = _pull_leases.route and l.position > _pull_leases."position" and l.position <= _pull_leases.horizon
     order by l.position
     limit _pull_leases.max_count
  ), leased as (
    insert into daybook.outbox_leases (tenant_id, route, stream_id, position)
    select s.tenant_id, _pull_leases.route, s.stream_id, min(s.position)
      from stretch s
     where not exists (select from daybook.outbox_leases o where o.tenant_id = s.tenant_id and o.route = _pull_leases.route and o.stream_id = s.stream_id)
       and not exists (
         select from daybook.parked_streams p
          where p.tenant_id = s.tenant_id and p.kind = 'route' and p.name = _pull_leases.route and p.stream_id = s.stream_id)
     group by s.tenant_id, s.stream_id
  )
  select count(*) as count, max(s.position) as position, (array_agg(s.message_id order by s.position desc))[1] as message_id into _seen from stretch s;

  update daybook.cursors c
     set position = case when _seen.count < _pull_leases.max_count then _pull_leases.horizon else _seen.position end,
         event_id = coalesce(_seen.message_id, c.event_id), moved_at = clock_timestamp()
   where c.kind = 'route' and c.name = _pull_leases.route and c.shard = 0
  returning c.position into _seen.position;
  return _seen.position;
end
$$;

comment on function daybook._pull_leases(text, bigint, bigint, integer) is
  'Moves a route that is received in SQL over its next messages: each of their streams gets a row in outbox_leases, unless it has one or is parked. Returns the new position.';
