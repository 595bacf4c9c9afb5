-- The last value is read while the statement runs, after its snapshot: a position that is moved meanwhile is not ahead of it.
create or replace function daybook._halt_ahead() returns void
language plpgsql volatile
as $$
begin
  update daybook.consumers k
     set state = 'halted', changed_at = now(),
         state_reason = 'its position lies beyond the end of the log, which has lost its end: find out what was handled beyond it, then reset it'
   where k.state = 'running' and exists (
     select from daybook.cursors c
      where c.kind = k.kind and c.name = k.name
        and c.position > coalesce(pg_sequence_last_value('daybook.positions'::regclass), 0));
end
$$;

comment on function daybook._halt_ahead() is
  'Halts handlers and routes whose position lies beyond the end of the log, before the log grows past it and they would skip events.';
