create or replace function daybook._pause_consumer(kind text, name text, reason text) returns void
language plpgsql volatile
as $$
begin
  perform daybook._lock_consumer(_pause_consumer.kind, _pause_consumer.name);
  update daybook.consumers k
     set state = 'paused', state_reason = _pause_consumer.reason, changed_at = now()
   where k.kind = _pause_consumer.kind and k.name = _pause_consumer.name;
  perform daybook._audit(
    'pause_' || _pause_consumer.kind, _pause_consumer.kind || ' ' || _pause_consumer.name, jsonb_build_object('reason', _pause_consumer.reason));
end
$$;

comment on function daybook._pause_consumer(text, text, text) is 'pause_handler and pause_route.';
