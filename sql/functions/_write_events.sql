create or replace function daybook._write_events(
  head daybook.stream_heads,
  events jsonb,
  idempotency_key text,
  out result daybook.append_result,
  out watched daybook.event[]
) returns record
language plpgsql volatile
as $$
declare
  _recorded_at timestamptz := daybook._recordable_at(greatest(clock_timestamp(), head.last_recorded_at));
  _is_watched boolean;
begin
  perform daybook._register_append();

  update daybook.stream_heads h
     set version = h.version + jsonb_array_length(events),
         first_recorded_at = least(h.first_recorded_at, _recorded_at),
         last_recorded_at = greatest(h.last_recorded_at, _recorded_at)
   where h.tenant_id = head.tenant_id and h.stream_id = head.stream_id
  returning h.version into result.stream_version;

  with written as (
    insert into daybook.event_log (
      position, stream_key, version, recorded_at, occurred_at, schema_version, event_id, correlation_id, causation_id,
      tenant_id, category, type, data, metadata, tags)
    select nextval('daybook.positions'), head.stream_key, head.version + e.ordinality, _recorded_at,
           (e.value ->> 'occurred_at')::timestamptz, coalesce((e.value ->> 'schema_version')::integer, 1),
           coalesce((e.value ->> 'event_id')::uuid, daybook.uuid_v7()),
           (e.value ->> 'correlation_id')::uuid, (e.value ->> 'causation_id')::uuid,
           head.tenant_id, split_part(head.stream_id, '-', 1), e.value ->> 'type',
           coalesce(e.value -> 'data', '{}'), nullif(e.value -> 'metadata', '{}'), daybook._tags(e.value -> 'tags')
      from jsonb_array_elements(events) with ordinality e
    returning position, type)
  select min(w.position), max(w.position), false, bool_or(daybook._watched(head.tenant_id, split_part(head.stream_id, '-', 1), w.type))
    into result.first_position, result.last_position, result.duplicate, _is_watched
    from written w;

  if _is_watched then
    watched := daybook._watched_events(head, result.stream_version, _recorded_at);
  end if;

  if idempotency_key is not null then
    insert into daybook.idempotency_keys as k
    values (head.tenant_id, head.stream_key, idempotency_key, daybook._payload_hash(events),
            result.stream_version, result.first_position, result.last_position, clock_timestamp())
        on conflict on constraint idempotency_keys_pkey
        do update set payload_hash = excluded.payload_hash, stream_version = excluded.stream_version,
                      first_position = excluded.first_position, last_position = excluded.last_position, created_at = excluded.created_at;
  end if;
end
$$;

comment on function daybook._write_events(daybook.stream_heads, jsonb, text) is
  'Writes events behind a stream that the transaction has locked: registers the append, draws positions in the order of the events, moves the stream''s version, remembers the key. watched: those that something else happens for (_on_append), which is for the caller to see to, once for all streams of a call.';
