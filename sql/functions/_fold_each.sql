create or replace function daybook._fold_each(reducer daybook.reducer_definitions, state jsonb, events daybook.event[]) returns jsonb
language plpgsql stable
as $$
declare
  _call text := format('select %s($1, $2)', reducer.function);
  _event daybook.event;
  _state jsonb := state;
  _problem text;
  _cause jsonb;
begin
  foreach _event in array events loop
    begin
      execute _call into _state using _state, _event;
      _problem := case when _state is null then 'it returned null' end;
    exception
      when transaction_rollback or operator_intervention or insufficient_resources or system_error then
        raise;
      when others or assert_failure then
        _problem := sqlerrm;
        _cause := jsonb_build_object('code', sqlstate, 'message', sqlerrm);
    end;
    if _problem is not null then
      raise exception using
        errcode = 'YD612',
        message = format('reducer %s failed at version %s of stream %s, an event %s: %s',
          coalesce(quote_ident(reducer.name), reducer.function), _event.version, _event.stream_id, _event.type, _problem),
        detail = jsonb_build_object(
          'reducer', coalesce(reducer.name, reducer.function), 'reducer_version', reducer.version,
          'tenant_id', _event.tenant_id, 'stream_id', _event.stream_id, 'version', _event.version,
          'position', _event.position, 'event_id', _event.event_id, 'type', _event.type, 'cause', _cause),
        hint = case when _cause is null
          then 'A reducer returns the state, changed or not: jsonb_set, jsonb_build_object and || of null make null.'
          else format('Correct %s. Up to the event before: at_version => %s', reducer.function, _event.version - 1) end;
    end if;
  end loop;
  return _state;
end
$$;

comment on function daybook._fold_each(daybook.reducer_definitions, jsonb, daybook.event[]) is
  'Folds events one by one: slower than load_state does, which calls it to find the event that a reducer fails at. Raises YD612.';
