create or replace function daybook._append_entry(entry jsonb, index integer, tenant_id text, known_busy boolean) returns daybook.batch_result
language plpgsql volatile
as $$
declare
  _result daybook.append_result;
  _out daybook.batch_result;
  _detail text;
  _hint text;
begin
  _out.entry := index;
  _out.stream_id := case when jsonb_typeof(entry) = 'object' then entry ->> 'stream_id' end;
  perform daybook._check_entry(entry, index);
  if known_busy or daybook._is_held(daybook._tenant(coalesce(entry ->> 'tenant_id', _append_entry.tenant_id)), entry ->> 'stream_id') then
    perform daybook._check_events(entry -> 'events');
    _out.status := 'busy';
    return _out;
  end if;
  _result := daybook._append(entry ->> 'stream_id', entry -> 'events', (entry ->> 'expected_version')::bigint,
                             entry ->> 'idempotency_key', coalesce(entry ->> 'tenant_id', _append_entry.tenant_id));
  _out.status := case when _result.duplicate then 'duplicate' else 'appended' end;
  _out.stream_version := _result.stream_version;
  _out.first_position := _result.first_position;
  _out.last_position := _result.last_position;
  _out.duplicate := _result.duplicate;
  return _out;
exception
  when lock_not_available then
    _out.status := 'busy';
    return _out;
  when operator_intervention or insufficient_resources or system_error or internal_error then
    raise;
  when others then
    get stacked diagnostics _detail = pg_exception_detail, _hint = pg_exception_hint;
    _out.status := 'failed';
    _out.error := jsonb_build_object('code', sqlstate, 'message', sqlerrm, 'detail', _detail, 'hint', _hint);
    return _out;
end
$$;

comment on function daybook._append_entry(jsonb, integer, text, boolean) is 'One entry of a batch in a savepoint of its own: what goes wrong with it becomes its outcome. Busy, if its stream is known to be or is found so.';
