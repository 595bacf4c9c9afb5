create or replace function daybook._prepare_leases(route text, "position" bigint, horizon bigint, max_count integer) returns bigint
language plpgsql volatile
as $$
declare
  _position bigint := _prepare_leases."position";
begin
  if (select r.mode from daybook.outbox_routes r where r.name = _prepare_leases.route) = 'shadow' then
    update daybook.cursors c set position = _prepare_leases.horizon, moved_at = clock_timestamp()
     where c.kind = 'route' and c.name = _prepare_leases.route and c.shard = 0 and c.position < _prepare_leases.horizon;
    return greatest(_position, horizon);
  end if;

  with due as (
    delete from daybook.parked_streams p
     where p.kind = 'route' and p.name = _prepare_leases.route
       and (p.retry_at <= clock_timestamp() or (p.retry_at is not null and p.waits_since > clock_timestamp()))
    returning p.tenant_id, p.stream_id, p.position, p.error)
  insert into daybook.outbox_leases (tenant_id, route, stream_id, position, error)
  select d.tenant_id, _prepare_leases.route, d.stream_id, d.position, d.error from due d;

  for _round in 1 .. 10 loop
    exit when _position >= horizon
      or max_count <= (select count(*) from (
           select from daybook.outbox_leases o
            where o.route = _prepare_leases.route and (o.due_at <= clock_timestamp() or o.leased_at > clock_timestamp()) limit max_count) o);
    _position := daybook._pull_leases(route, _position, horizon, greatest(max_count, 100));
  end loop;
  return _position;
end
$$;

comment on function daybook._prepare_leases(text, bigint, bigint, integer) is
  'Sees to it, under the lock of a route''s cursor, that there are streams to lease: parked ones that are due, and those of the next messages. Returns the route''s position.';
