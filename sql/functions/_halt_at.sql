create or replace function daybook._halt_at(consumer daybook.consumers, event daybook.event, error jsonb) returns text
language plpgsql volatile
as $$
declare
  _error jsonb := daybook._error(_halt_at.error, event."position", event.event_id);
begin
  update daybook.cursors c
     set attempts = c.attempts + 1, failed_position = event."position", last_error = _error, retry_at = null
   where c.kind = consumer.kind and c.name = consumer.name;
  update daybook.consumers k
     set state = 'halted', state_reason = left(_error ->> 'message', 1000), changed_at = now()
   where k.kind = consumer.kind and k.name = consumer.name;
  return 'halted';
end
$$;

comment on function daybook._halt_at(daybook.consumers, daybook.event, jsonb) is 'Halts a consumer before an event at once: trying again would change nothing. Returns halted.';
