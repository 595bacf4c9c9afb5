create or replace function daybook._check_failure(failed_position bigint, stream_id text, event_id uuid, type text) returns void
language plpgsql immutable
as $$
begin
  if failed_position is null or _check_failure.stream_id is null or _check_failure.event_id is null or _check_failure.type is null then
    raise exception using
      errcode = 'YD108',
      message = 'a message that failed has a position, a stream, an id and a type',
      detail = jsonb_build_object('failed_position', failed_position, 'stream_id', _check_failure.stream_id,
                                  'event_id', _check_failure.event_id, 'type', _check_failure.type),
      hint = 'Pass them as they were read.';
  end if;
end
$$;

comment on function daybook._check_failure(bigint, text, uuid, text) is 'Refuses a failure that does not say of what: YD108.';
