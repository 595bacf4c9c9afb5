create or replace function daybook.halt_consumer(kind text, name text, reason text) returns boolean
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  perform daybook._check_reason(reason, 'halt_consumer');
  perform daybook._lock_consumer(halt_consumer.kind, halt_consumer.name);
  update daybook.consumers k
     set state = 'halted', state_reason = left(reason, 1000), changed_at = now()
   where k.kind = halt_consumer.kind and k.name = halt_consumer.name and k.state = 'running';
  return found;
end
$$;

comment on function daybook.halt_consumer(text, text, text) is
  'Stops a handler or route that cannot go on, until a person resumes it: for a worker that finds it so. Returns whether it was running. Raises YD501, YD506.';
