create or replace function daybook._check_streams(appends jsonb, tenant_id text) returns void
language plpgsql stable
as $$
declare
  _entry record;
  _all jsonb;
begin
  perform daybook._check_appends(appends);

  for _entry in select a.value, a.ordinality::integer - 1 as i from jsonb_array_elements(appends) with ordinality a loop
    perform daybook._check_entry(_entry.value, _entry.i);
    perform daybook._check_stream_id(_entry.value ->> 'stream_id');
    perform daybook._check_expected_version((_entry.value ->> 'expected_version')::bigint);
    perform daybook._check_idempotency_key(_entry.value ->> 'idempotency_key');
    if coalesce(nullif(_entry.value -> 'events', 'null'), '[]') <> '[]' then
      perform daybook._check_events(_entry.value -> 'events');
    elsif jsonb_typeof(_entry.value -> 'expected_version') is distinct from 'number' then
      raise exception using
        errcode = 'YD102',
        message = format('entry %s has neither events nor an expected_version', _entry.i),
        detail = jsonb_build_object('entry', _entry.i, 'stream_id', _entry.value -> 'stream_id'),
        hint = 'An entry without events is a version check: say which version is expected.';
    end if;
  end loop;

  select jsonb_agg(distinct b.id) into _all
    from (select a.value ->> 'stream_id' as id from jsonb_array_elements(appends) a group by 1 having count(*) > 1) b;
  if _all is not null then
    raise exception using
      errcode = 'YD102',
      message = format('stream %s stands in more than one entry', _all ->> 0),
      detail = jsonb_build_object('streams', _all),
      hint = 'Put all events of a stream, and the one version it is expected at, into one entry.';
  elsif exists (select from jsonb_array_elements(appends) a where a.value ->> 'tenant_id' <> _check_streams.tenant_id) then
    raise exception using
      errcode = 'YD203',
      message = 'append_streams writes one tenant',
      detail = jsonb_build_object('tenant_id', _check_streams.tenant_id),
      hint = 'Name the tenant in the argument tenant_id, not in the entries.';
  end if;

  select jsonb_agg(e) into _all from jsonb_array_elements(appends) a, jsonb_array_elements(coalesce(nullif(a.value -> 'events', 'null'), '[]')) e;
  if jsonb_array_length(_all) > daybook._max_events() then
    perform daybook._check_events(_all);
  elsif _all is not null then
    perform daybook._check_event_ids(_all);
  end if;
end
$$;

comment on function daybook._check_streams(jsonb, text) is 'The guards of append_streams.';
