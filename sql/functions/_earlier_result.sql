create or replace function daybook._earlier_result(
  head daybook.stream_heads,
  events jsonb,
  expected_version bigint,
  idempotency_key text
) returns daybook.append_result
language plpgsql volatile
as $$
declare
  _known daybook.idempotency_keys;
  _count integer := jsonb_array_length(events);
  _result daybook.append_result;
begin
  if idempotency_key is not null then
    _known := daybook._known_key(head, idempotency_key);
    if _known.payload_hash is not null and _known.payload_hash <> daybook._payload_hash(events) then
      raise exception using
        errcode = 'YD002',
        message = format('the idempotency key %s was used with another payload', quote_literal(idempotency_key)),
        detail = jsonb_build_object('stream_id', head.stream_id, 'idempotency_key', idempotency_key, 'stream_version', _known.stream_version),
        hint = 'Use a new key for a new request; a key stands for one payload.';
    elsif _known.payload_hash is not null then
      return (_known.stream_version, _known.first_position, _known.last_position, true);
    end if;
  end if;

  if expected_version >= 0 and head.version - _count >= expected_version then
    -- a partition attached since this transaction opened the log: opening another relation makes it notice
    perform pg_relation_is_updatable('daybook.every_tenant'::regclass, false);
    select expected_version + _count, min(l.position), max(l.position), true into _result
      from daybook.event_log l
      join jsonb_array_elements(events) with ordinality e
        on l.version = expected_version + e.ordinality and l.event_id::text = lower(e.value ->> 'event_id')
     where l.stream_key = head.stream_key
       and l.version between expected_version + 1 and expected_version + _count
       and l.recorded_at between head.first_recorded_at and head.last_recorded_at
    having count(*) = _count;
    if found then
      return _result;
    end if;
  end if;
  return null;
end
$$;

comment on function daybook._earlier_result(daybook.stream_heads, jsonb, bigint, text) is
  'The result of an earlier append of the same: by its idempotency key, or, where an exact version is expected, by the same event_ids in its place. Null = there was none. Call it with the stream locked.';
