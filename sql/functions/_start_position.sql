create or replace function daybook._start_position(start_from text) returns bigint
language plpgsql volatile
as $$
declare
  _last bigint := coalesce(pg_sequence_last_value('daybook.positions'::regclass), 0);
  _since timestamptz;
  _position bigint;
begin
  if start_from = 'start' then
    return 0;
  elsif start_from = 'now' then
    return daybook.horizon();
  elsif start_from ~ '^[0-9]{1,18}$' then
    if start_from::bigint > _last then
      raise exception using
        errcode = 'YD403',
        message = format('position %s lies beyond the end of the log, %s', start_from, _last),
        detail = jsonb_build_object('position', start_from::bigint, 'last_position', _last),
        hint = 'Pass the position of an event of this log, or now.';
    end if;
    return start_from::bigint;
  elsif not coalesce(daybook._is_timestamp(start_from), false) then
    raise exception using
      errcode = 'YD108',
      message = coalesce(quote_literal(start_from), 'null') || ' is no place to start from',
      detail = jsonb_build_object('argument', 'start_from', 'value', start_from),
      hint = 'Pass start, now, the position behind which to start, or a moment with its offset from UTC such as 2026-01-31T12:00:00Z.';
  end if;

  _since := start_from::timestamptz;
  _position := daybook.horizon();
  select least(_position, min(l.position) - 1) into _position from daybook.event_log l where l.recorded_at >= _since;
  return _position;
end
$$;

comment on function daybook._start_position(text) is
  'The position behind which a consumer starts: start, now (what is committed from here on), a position, or a moment (all that was recorded since). Raises YD108, YD403.';
