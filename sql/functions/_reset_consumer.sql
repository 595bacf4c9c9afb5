create or replace function daybook._reset_consumer(kind text, name text, start_from text, reason text) returns bigint
language plpgsql volatile
as $$
declare
  _was daybook.consumers;
  _position bigint := daybook._start_position(start_from);
  _positions jsonb;
  _unparked bigint;
begin
  if _reset_consumer.kind = 'route' then
    perform daybook._enter_route(_reset_consumer.name, true);
  end if;
  _was := daybook._lock_consumer(_reset_consumer.kind, _reset_consumer.name);
  -- parked streams of tenants it does not see would stay parked, ahead of where it begins again
  perform daybook._check_not_narrowed(_was.tenant_id);
  select jsonb_agg(c.position order by c.shard) into _positions
    from daybook.cursors c where c.kind = _reset_consumer.kind and c.name = _reset_consumer.name;
  update daybook.cursors c
     set position = _position, event_id = null, attempts = 0, postponed = 0, failed_position = null, retry_at = null, last_error = null, moved_at = clock_timestamp()
   where c.kind = _reset_consumer.kind and c.name = _reset_consumer.name;
  delete from daybook.parked_streams p where p.kind = _reset_consumer.kind and p.name = _reset_consumer.name;
  get diagnostics _unparked = row_count;
  delete from daybook.outbox_leases o where _reset_consumer.kind = 'route' and o.route = _reset_consumer.name;
  update daybook.dead_letters_log d
     set state = 'discarded', state_reason = coalesce(_reset_consumer.reason, 'reset'), changed_at = now()
   where d.kind = _reset_consumer.kind and d.name = _reset_consumer.name and d.state in ('waiting', 'retrying');
  update daybook.consumers k
     set state = 'running', state_reason = null, changed_at = now()
   where k.kind = _reset_consumer.kind and k.name = _reset_consumer.name and k.state = 'halted';
  perform daybook._audit(
    'reset_' || _reset_consumer.kind, _reset_consumer.kind || ' ' || _reset_consumer.name,
    jsonb_build_object('start_from', start_from, 'position', _position, 'positions_before', _positions,
                       'streams_unparked', _unparked, 'was', _was.state, 'reason', _reset_consumer.reason));
  return _position;
end
$$;

comment on function daybook._reset_consumer(text, text, text, text) is 'reset_handler and reset_route.';
