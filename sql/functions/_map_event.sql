-- What says "do it again" or "the server is in trouble" keeps its SQLSTATE; all else is the mapping's fault.
create or replace function daybook._map_event(route text, event daybook.event) returns jsonb
language plpgsql volatile
as $$
declare
  _data jsonb;
begin
  begin
    _data := daybook._mapping(route, event);
  exception
    when transaction_rollback or operator_intervention or insufficient_resources or system_error then
      raise;
    when others or assert_failure then
      raise exception using
        errcode = 'YD505',
        message = format('the mapping of route %s failed on an event %s: %s', quote_ident(route), event.type, sqlerrm),
        detail = jsonb_build_object('route', route, 'type', event.type, 'stream_id', event.stream_id, 'cause', jsonb_build_object('code', sqlstate, 'message', sqlerrm)),
        hint = format('Nothing was appended. Correct the mapping function, or: select daybook.drop_route(%L, …)', route);
  end;
  if jsonb_typeof(_data) not in ('object', 'null') then
    raise exception using
      errcode = 'YD505',
      message = format('the mapping of route %s made %s of an event %s; a public payload is an object', quote_ident(route), jsonb_typeof(_data), event.type),
      detail = jsonb_build_object('route', route, 'type', event.type, 'stream_id', event.stream_id, 'made', jsonb_typeof(_data)),
      hint = 'Nothing was appended. Have the mapping function return an object, or null for an event that is not to be sent.';
  end if;
  return nullif(_data, 'null');
end
$$;

comment on function daybook._map_event(text, daybook.event) is 'The public payload that a route''s mapping function makes of an event, null = not sent. Raises YD505 where the function fails.';
