-- One CASE, inlined where it is called: guards of one event in the order a person would fix them.
create or replace function daybook._event_problem(event jsonb) returns text
language sql immutable parallel safe
as $$
  select case
  when jsonb_typeof(event) is distinct from 'object' then
    'an event is an object'
  when event - '{type,data,metadata,event_id,schema_version,occurred_at,tags,correlation_id,causation_id}'::text[] <> '{}' then
    'unknown keys; known are type, data, metadata, event_id, schema_version, occurred_at, tags, correlation_id, causation_id'
  when jsonb_typeof(event -> 'type') is distinct from 'string' or length(event ->> 'type') not between 1 and 255 then
    'type is a text of 1 to 255 characters'
  when jsonb_typeof(event -> 'data') <> 'object' then
    'data is an object'
  when jsonb_typeof(event -> 'metadata') <> 'object' then
    'metadata is an object'
  when event ->> 'event_id' !~* '^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$' then
    'event_id is a UUID'
  when event ->> 'correlation_id' !~* '^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$' then
    'correlation_id is a UUID'
  when event ->> 'causation_id' !~* '^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$' then
    'causation_id is a UUID'
  when jsonb_typeof(event -> 'schema_version') not in ('number', 'null') or event ->> 'schema_version' !~ '^[1-9][0-9]*$'
       or event -> 'schema_version' > '2147483647' then
    'schema_version is a whole number from 1'
  when event ->> 'occurred_at' is not null and not daybook._is_timestamp(event ->> 'occurred_at') then
    'occurred_at is an ISO 8601 moment with its offset from UTC, such as 2026-11-21T09:30:00Z'
  when jsonb_typeof(event -> 'tags') not in ('array', 'null') then
    'tags is an array of texts'
  when event @? 'strict $.tags[*] ? (@.type() != "string" || @ == "")' then
    'a tag is a text that is not empty'
  end
$$;

comment on function daybook._event_problem(jsonb) is 'What is wrong with one event as append takes it, null = nothing.';
