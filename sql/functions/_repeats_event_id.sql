create or replace function daybook._repeats_event_id(events jsonb) returns boolean
language sql immutable parallel safe
return exists (
  select from jsonb_array_elements(events) e
   where e.value ->> 'event_id' is not null
   group by lower(e.value ->> 'event_id')
  having count(*) > 1);

comment on function daybook._repeats_event_id(jsonb) is 'Whether an event_id stands twice in a list of events.';
