create or replace function daybook._check_message(message jsonb) returns void
language plpgsql stable
as $$
declare
  -- what a message has in common with an event is checked as that of an event
  _problem text := case
    when jsonb_typeof(message) is distinct from 'object' then 'a message is an object'
    when message - '{type,version,data,metadata,key,message_id,occurred_at,correlation_id,causation_id}'::text[] <> '{}' then
      'unknown keys; known are type, version, data, metadata, key, message_id, occurred_at, correlation_id, causation_id'
    when jsonb_typeof(message -> 'key') not in ('string', 'null') or length(message ->> 'key') not between 1 and 255 or message ->> 'key' ~ '[[:cntrl:]]' then
      'key is a text of 1 to 255 characters, none of them a control character'
    else replace(replace(
      daybook._event_problem(
        jsonb_strip_nulls((message - '{version,key,message_id,data,metadata}'::text[])
          || jsonb_build_object('event_id', message -> 'message_id', 'schema_version', message -> 'version'))
        || jsonb_build_object('data', coalesce(nullif(message -> 'data', 'null'), '{}'), 'metadata', coalesce(nullif(message -> 'metadata', 'null'), '{}'))),
      'event_id', 'message_id'), 'schema_version', 'version')
  end;
  _bytes integer;
begin
  if _problem is not null then
    raise exception using
      errcode = 'YD108',
      message = format('message: %s', _problem),
      detail = jsonb_build_object('argument', 'message', 'problem', _problem),
      hint = 'A message is {"type", "version"?, "data"?, "metadata"?, "key"?, "message_id"?, "occurred_at"?, "correlation_id"?, "causation_id"?}.';
  end if;
  _bytes := pg_column_size(coalesce(message -> 'data', '{}')) + pg_column_size(coalesce(message -> 'metadata', '{}'));
  if _bytes > daybook._max_event_bytes() then
    raise exception using
      errcode = 'YD105',
      message = format('the message takes %s bytes; %s are allowed', _bytes, daybook._max_event_bytes()),
      detail = jsonb_build_object('index', 0, 'bytes', _bytes, 'max_event_bytes', daybook._max_event_bytes()),
      hint = 'Keep large documents elsewhere and their address in the message, or: select daybook.configure(''max_event_bytes'', …).';
  end if;
end
$$;

comment on function daybook._check_message(jsonb) is 'Refuses messages that are not as publish takes them: YD108, YD105.';
