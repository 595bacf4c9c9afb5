create or replace function daybook.ack(route text, token uuid) returns boolean
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  _done daybook.outbox_leases;
begin
  perform daybook._check_receiver(route);
  perform daybook._enter_route(route, false);
  select o.* into _done from daybook.outbox_leases o where o.token = ack.token and o.route = ack.route for no key update;
  if not found then
    return false;
  end if;
  -- the row stays, for the stream's next message; receive takes it away if there is none
  update daybook.outbox_leases o
     set position = o.position + 1, token = null, attempts = 0, due_at = '-infinity', error = null
   where o.tenant_id = _done.tenant_id and o.route = _done.route and o.stream_id = _done.stream_id;
  update daybook.dead_letters_log d
     set state = 'done', changed_at = clock_timestamp()
   where d.tenant_id = _done.tenant_id and d.kind = 'route' and d.name = _done.route and d.position = _done.position
     and d.state in ('waiting', 'retrying');
  return true;
end
$$;

comment on function daybook.ack(text, uuid) is
  'Says that a received message is done; in the transaction of its effects, these happen exactly once. False: the lease had ended, and the message is with somebody else or will be: roll the effects back.';
