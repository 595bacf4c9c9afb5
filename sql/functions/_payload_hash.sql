create or replace function daybook._payload_hash(events jsonb) returns bytea
language sql immutable parallel safe
as $$
  select sha256(convert_to(string_agg(
           jsonb_build_array(e.value -> 'type', coalesce(nullif(e.value -> 'schema_version', 'null'), '1'), coalesce(e.value -> 'data', '{}'), daybook._tags(e.value -> 'tags'))::text,
           ',' order by e.ordinality), 'UTF8'))
    from jsonb_array_elements(events) with ordinality e
$$;

comment on function daybook._payload_hash(jsonb) is
  'What an idempotency key stands for: types, schema versions, data and tags, in order. Ids, times and metadata are not part of it: a retried request has others.';
