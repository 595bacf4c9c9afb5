create or replace function daybook._check_appends(appends jsonb) returns void
language plpgsql stable
as $$
declare
  _problem text;
begin
  if jsonb_typeof(appends) is distinct from 'array' or jsonb_array_length(appends) = 0 then
    _problem := 'appends is an array of at least one entry';
  elsif jsonb_array_length(appends) > daybook._max_events() then
    raise exception using
      errcode = 'YD106',
      message = format('%s entries in one call; %s are allowed', jsonb_array_length(appends), daybook._max_events()),
      detail = jsonb_build_object('count', jsonb_array_length(appends), 'max_events', daybook._max_events()),
      hint = 'Send them in several calls, or: select daybook.configure(''max_events'', …).';
  end if;
  if _problem is not null then
    raise exception using
      errcode = 'YD102',
      message = _problem,
      detail = jsonb_build_object('given', coalesce(jsonb_typeof(appends), 'null')),
      hint = 'Pass [{"stream_id": …, "events": […], "expected_version"?: …, "idempotency_key"?: …}, …].';
  end if;
end
$$;

comment on function daybook._check_appends(jsonb) is 'Refuses a list of appends that is none, is empty or too long: YD102, YD106.';
