create or replace function daybook._take_lease(
  consumer daybook.consumers,
  lease daybook.outbox_leases,
  through bigint,
  is_locked boolean,
  until timestamptz,
  leased_by text
) returns daybook.outbox_leases
language plpgsql volatile
as $$
declare
  _lease daybook.outbox_leases;
  _next bigint;
begin
  select o.* into _lease
    from daybook.outbox_leases o
   where o.tenant_id = lease.tenant_id and o.route = lease.route and o.stream_id = lease.stream_id and daybook._is_due(o.due_at, o.leased_at)
     for no key update skip locked;
  if not found then
    return null;
  end if;

  _next := daybook._next_of_stream(consumer, _lease.tenant_id, _lease.stream_id, _lease.position, _lease.position - 1, through);
  if _next is null then
    if is_locked then
      delete from daybook.outbox_leases o where o.tenant_id = lease.tenant_id and o.route = lease.route and o.stream_id = lease.stream_id;
    end if;
    return null;
  elsif _lease.token is not null and _lease.attempts >= consumer.max_attempts then
    if is_locked or consumer.on_failure <> 'park' then
      perform daybook._give_up_lease(consumer, _lease, jsonb_build_object('code', 'lease_expired', 'message',
        format('not acknowledged in time%s', ' by ' || _lease.leased_by)));
    end if;
    return null;
  end if;

  update daybook.outbox_leases o
     set position = _next, token = gen_random_uuid(), leased_by = _take_lease.leased_by, attempts = o.attempts + 1, due_at = until,
         leased_at = clock_timestamp()
   where o.tenant_id = lease.tenant_id and o.route = lease.route and o.stream_id = lease.stream_id
  returning o.* into _lease;
  return _lease;
end
$$;

comment on function daybook._take_lease(daybook.consumers, daybook.outbox_leases, bigint, boolean, timestamptz, text) is
  'Leases the next message of a stream; null if somebody else has it by now, if it has none up to where the route is (then the row goes, if the route''s cursor is locked), or if its tries are used up.';
