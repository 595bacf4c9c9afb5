-- One CASE, inlined where it is called: a batch asks this of each of its entries.
create or replace function daybook._is_ordinary_entry(entry jsonb) returns boolean
language sql immutable parallel safe
as $$
  select case
  when jsonb_typeof(entry) <> 'object' or entry - '{stream_id,events,expected_version,tenant_id}'::text[] <> '{}' then
    false
  when jsonb_typeof(entry -> 'stream_id') is distinct from 'string' or jsonb_typeof(entry -> 'events') is distinct from 'array' then
    false
  when length(entry ->> 'stream_id') not between 1 and 255 or entry ->> 'stream_id' ~ '^-|[[:cntrl:]]' then
    false
  when jsonb_typeof(entry -> 'tenant_id') not in ('string', 'null') then
    false
  when jsonb_array_length(entry -> 'events') not between 1 and daybook._max_events() then
    false
  when jsonb_typeof(entry -> 'expected_version') = 'number' then
    entry ->> 'expected_version' ~ '^[0-9]{1,18}$'
  else
    coalesce(jsonb_typeof(entry -> 'expected_version') = 'null', true)
  end
$$;

comment on function daybook._is_ordinary_entry(jsonb) is 'Whether an entry of a batch can go with the set, as far as it can be told without its events: well-formed, no idempotency key, any or an exact version.';
