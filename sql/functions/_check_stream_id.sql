create or replace function daybook._check_stream_id(stream_id text) returns void
language plpgsql immutable
as $$
begin
  if stream_id is null or length(stream_id) not between 1 and 255 or stream_id ~ '[[:cntrl:]]' or stream_id ~ '^-' then
    raise exception using
      errcode = 'YD103',
      message = 'a stream is named by 1 to 255 characters, none of them a control character, the first no dash',
      detail = jsonb_build_object('stream_id', stream_id),
      hint = 'Name streams <category>-<id>, such as account-42.';
  end if;
end
$$;

comment on function daybook._check_stream_id(text) is 'Refuses names that no stream can have: YD103.';
