create or replace function daybook._append(
  stream_id text,
  events jsonb,
  expected_version bigint,
  idempotency_key text,
  tenant_id text
) returns daybook.append_result
language plpgsql volatile
as $$
declare
  _tenant text := daybook._tenant(_append.tenant_id);
  _head daybook.stream_heads;
  _result daybook.append_result;
  _written record;
begin
  perform daybook._check_events(events);
  perform daybook._check_expected_version(expected_version);
  perform daybook._check_idempotency_key(idempotency_key);

  perform daybook._register_append();
  _head := daybook._lock_stream(_tenant, _append.stream_id);
  _result := daybook._earlier_result(_head, events, expected_version, idempotency_key);
  if _result.duplicate then
    return _result;
  end if;
  if not daybook._version_matches(expected_version, _head.version) then
    perform daybook._raise_conflicts(jsonb_build_array(daybook._conflict(_head, expected_version)));
  end if;
  _written := daybook._write_events(_head, events, idempotency_key);
  if _written.watched is not null then
    perform daybook._on_append(_written.watched);
  end if;
  return _written.result;
end
$$;

comment on function daybook._append(text, jsonb, bigint, text, text) is 'The general way to append to one stream: every guard, idempotency, any number of events.';
