create or replace function daybook._refuse_append(projection text, events daybook.event[], code text, message text) returns void
language plpgsql immutable
as $$
declare
  _event daybook.event := events[1];
begin
  -- YD607: its apply function appends, and that failed; the innermost says why
  if code ~ '^(40|53|57|58)' or code in ('55P03', 'YD607') then
    return;
  end if;
  raise exception using
    errcode = 'YD607',
    message = format('projection %s failed on %s: %s', quote_ident(projection),
                     case when cardinality(events) = 1 then 'an event ' || _event.type else format('%s events', cardinality(events)) end, message),
    detail = jsonb_build_object(
      'projection', projection, 'type', _event.type, 'stream_id', _event.stream_id, 'events', cardinality(events),
      'cause', daybook._own_tables_only(projection, jsonb_build_object('code', code, 'message', message))),
    hint = format('Nothing was appended. Correct its apply function and select daybook.replace_projection(%L), or select daybook.pause_projection(%1$L).', projection);
end
$$;

comment on function daybook._refuse_append(text, daybook.event[], text, text) is
  'Raises YD607: an inline projection failed. Returns where the failure says "do it again" (40, 55P03) or "the server is in trouble" (53, 57, 58), or is one of these already: that is raised as it is.';
