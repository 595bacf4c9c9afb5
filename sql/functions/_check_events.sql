create or replace function daybook._check_events(events jsonb) returns void
language plpgsql stable
as $$
declare
  _count integer;
  _bad record;
begin
  if jsonb_typeof(events) is distinct from 'array' or jsonb_array_length(events) = 0 then
    raise exception using
      errcode = 'YD102',
      message = 'events is an array of at least one event',
      detail = jsonb_build_object('given', coalesce(jsonb_typeof(events), 'null')),
      hint = 'Pass [{"type": …, "data": {…}}, …].';
  end if;

  _count := jsonb_array_length(events);
  if _count > daybook._max_events() then
    raise exception using
      errcode = 'YD106',
      message = format('%s events in one append; %s are allowed', _count, daybook._max_events()),
      detail = jsonb_build_object('count', _count, 'max_events', daybook._max_events()),
      hint = 'Append them in several calls, or: select daybook.configure(''max_events'', …).';
  end if;

  -- an event that is small as a whole is small in its parts
  select e.ordinality - 1 as index, daybook._event_problem(e.value) as problem,
         pg_column_size(coalesce(e.value -> 'data', '{}')) + pg_column_size(coalesce(e.value -> 'metadata', '{}')) as bytes
    into _bad
    from jsonb_array_elements(events) with ordinality e
   where daybook._event_problem(e.value) is not null
      or (pg_column_size(e.value) > daybook._max_event_bytes()
          and pg_column_size(coalesce(e.value -> 'data', '{}')) + pg_column_size(coalesce(e.value -> 'metadata', '{}')) > daybook._max_event_bytes())
   order by e.ordinality
   limit 1;
  if _bad.problem is not null then
    raise exception using
      errcode = 'YD101',
      message = format('event %s: %s', _bad.index, _bad.problem),
      detail = jsonb_build_object('index', _bad.index, 'problem', _bad.problem),
      hint = 'An event is {"type", "data", "metadata"?, "event_id"?, "schema_version"?, "occurred_at"?, "tags"?, "correlation_id"?, "causation_id"?}.';
  elsif _bad.index is not null then
    raise exception using
      errcode = 'YD105',
      message = format('event %s takes %s bytes; %s are allowed', _bad.index, _bad.bytes, daybook._max_event_bytes()),
      detail = jsonb_build_object('index', _bad.index, 'bytes', _bad.bytes, 'max_event_bytes', daybook._max_event_bytes()),
      hint = 'Keep large documents elsewhere and their address in the event, or: select daybook.configure(''max_event_bytes'', …).';
  end if;

  if _count > 1 then
    perform daybook._check_event_ids(events);
  end if;
end
$$;

comment on function daybook._check_events(jsonb) is 'Refuses events that are not as append takes them: YD101, YD102, YD105, YD106, YD107.';
