create or replace function daybook._is_ordinary_entry(entry jsonb) returns boolean
language plpgsql immutable parallel safe
as $$
declare
  _id text;
begin
  if jsonb_typeof(entry) <> 'object' or entry - '{stream_id,events,expected_version}'::text[] <> '{}'
     or jsonb_typeof(entry -> 'events') is distinct from 'array' or jsonb_typeof(entry -> 'stream_id') is distinct from 'string' then
    return false;
  end if;
  _id := entry ->> 'stream_id';
  return length(_id) between 1 and 255 and _id !~ '[[:cntrl:]]' and _id !~ '^-'
     and jsonb_array_length(entry -> 'events') between 1 and daybook._max_events()
     and (entry ->> 'expected_version' is null
          or (jsonb_typeof(entry -> 'expected_version') = 'number' and entry ->> 'expected_version' ~ '^[0-9]{1,18}$'))
     and not exists (
       select from jsonb_array_elements(entry -> 'events') e
        where daybook._event_problem(e.value) is not null or pg_column_size(e.value) > daybook._max_event_bytes())
     and not exists (
       select from jsonb_array_elements(entry -> 'events') e
        where e.value ->> 'event_id' is not null
        group by lower(e.value ->> 'event_id') having count(*) > 1);
end
$$;

comment on function daybook._is_ordinary_entry(jsonb) is 'Whether an entry of a batch can go with the set: well-formed, no idempotency key, no tenant of its own, any or an exact version.';
