create or replace function daybook._check_entry(entry jsonb, index integer) returns void
language plpgsql immutable
as $$
declare
  _problem text;
begin
  _problem := case
    when jsonb_typeof(entry) is distinct from 'object' then
      'an entry is an object'
    when entry - '{stream_id,events,expected_version,idempotency_key,tenant_id}'::text[] <> '{}' then
      'unknown keys; known are stream_id, events, expected_version, idempotency_key, tenant_id'
    when jsonb_typeof(entry -> 'stream_id') is distinct from 'string' then
      'stream_id is a text'
    when jsonb_typeof(entry -> 'expected_version') not in ('number', 'null') or entry ->> 'expected_version' !~ '^-?[0-9]{1,18}$' then
      'expected_version is a whole number'
    when jsonb_typeof(entry -> 'idempotency_key') not in ('string', 'null') then
      'idempotency_key is a text'
    when jsonb_typeof(entry -> 'tenant_id') not in ('string', 'null') then
      'tenant_id is a text'
    end;
  if _problem is not null then
    raise exception using
      errcode = 'YD102',
      message = format('entry %s: %s', index, _problem),
      detail = jsonb_build_object('entry', index, 'problem', _problem),
      hint = 'An entry is {"stream_id", "events", "expected_version"?, "idempotency_key"?, "tenant_id"?}.';
  end if;
end
$$;

comment on function daybook._check_entry(jsonb, integer) is 'Refuses an entry of append_streams or append_batch that is not as they take it: YD102.';
