create or replace function daybook._resume_consumer(kind text, name text) returns void
language plpgsql volatile
as $$
declare
  _was daybook.consumers := daybook._lock_consumer(_resume_consumer.kind, _resume_consumer.name);
begin
  update daybook.consumers k
     set state = 'running', state_reason = null, changed_at = now()
   where k.kind = _resume_consumer.kind and k.name = _resume_consumer.name;
  update daybook.cursors c
     set attempts = 0, postponed = 0, retry_at = null
   where c.kind = _resume_consumer.kind and c.name = _resume_consumer.name and (c.failed_position is not null or c.postponed > 0);
  perform daybook._audit(
    'resume_' || _resume_consumer.kind, _resume_consumer.kind || ' ' || _resume_consumer.name, jsonb_build_object('was', _was.state, 'because', _was.state_reason));
end
$$;

comment on function daybook._resume_consumer(text, text) is 'resume_handler and resume_route.';
