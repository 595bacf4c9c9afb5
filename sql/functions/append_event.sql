-- The straight way, in two statements, for one event of a stream that is there; whatever is out of the ordinary goes
-- the general way, which checks everything again and says what is wrong. Both rest on the same rules: registered
-- before the position is drawn, the stream's row locked before that.
-- One condition and not six: each expression of PL/pgSQL is prepared anew in each transaction.
create or replace function daybook.append_event(
  stream_id text,
  type text,
  data jsonb default '{}',
  metadata jsonb default '{}',
  expected_version bigint default null,
  event_id uuid default null,
  correlation_id uuid default null,
  causation_id uuid default null,
  tags text[] default null,
  schema_version integer default 1,
  occurred_at timestamptz default null,
  idempotency_key text default null,
  tenant_id text default null
) returns daybook.append_result
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  _tenant text := coalesce(nullif(current_setting('daybook.tenant', true), ''), append_event.tenant_id, 'default');
  _key bigint;
  _version bigint;
  _recorded_at timestamptz;
  _position bigint;
  _event_id uuid;
begin
  if has_table_privilege(session_user, 'daybook.every_tenant'::regclass, 'select')
     and coalesce(append_event.tenant_id, _tenant) = _tenant
     and length(append_event.type) between 1 and 255
     and jsonb_typeof(append_event.data) = 'object'
     and jsonb_typeof(append_event.metadata) = 'object'
     and pg_column_size(append_event.data) + pg_column_size(append_event.metadata) < daybook._max_event_bytes()
     and coalesce(pg_column_compression(append_event.data), pg_column_compression(append_event.metadata)) is null
     and append_event.schema_version > 0
     and append_event.tags is null
     and append_event.occurred_at is null
     and append_event.idempotency_key is null
     and daybook._register_append()
  then
    update daybook.stream_heads h
       set version = h.version + 1,
           last_recorded_at = greatest(h.last_recorded_at, clock_timestamp())
     where h.tenant_id = _tenant
       and h.stream_id = append_event.stream_id
       and h.version = coalesce(append_event.expected_version, h.version)
    returning h.stream_key, h.version, h.last_recorded_at into _key, _version, _recorded_at;

    if _recorded_at >= daybook._writable_from() and _recorded_at < daybook._writable_until() then
      insert into daybook.event_log (
        position, stream_key, version, recorded_at, schema_version, event_id, correlation_id, causation_id,
        tenant_id, category, type, data, metadata)
      values (
        nextval('daybook.positions'), _key, _version, _recorded_at, append_event.schema_version,
        coalesce(append_event.event_id, daybook.uuid_v7()), append_event.correlation_id, append_event.causation_id,
        _tenant, split_part(append_event.stream_id, '-', 1), append_event.type, append_event.data, nullif(append_event.metadata, '{}'))
      returning position, event_log.event_id into _position, _event_id;
      -- one expression, folded to its first branch where no route and no inline projection wants it
      return case
        when not daybook._watched(_tenant, split_part(append_event.stream_id, '-', 1), append_event.type)
          or daybook._on_append_one(
               row(_position, _tenant, append_event.stream_id, _version, split_part(append_event.stream_id, '-', 1), append_event.type,
                   append_event.data, append_event.metadata, _event_id, append_event.correlation_id, append_event.causation_id,
                   append_event.schema_version, null, _recorded_at, _recorded_at)::daybook.event) >= 0
        then row(_version, _position, _position, false)::daybook.append_result
      end;
    elsif _recorded_at is not null then
      -- no partition for it: let the general way see the stream as it was
      update daybook.stream_heads h set version = h.version - 1 where h.tenant_id = _tenant and h.stream_id = append_event.stream_id;
    end if;
  end if;

  return daybook._append(
    append_event.stream_id,
    jsonb_build_array(
      jsonb_build_object('data', coalesce(append_event.data, '{}'), 'metadata', coalesce(append_event.metadata, '{}'))
      || jsonb_strip_nulls(jsonb_build_object(
           'type', append_event.type, 'event_id', append_event.event_id, 'correlation_id', append_event.correlation_id,
           'causation_id', append_event.causation_id, 'tags', to_jsonb(append_event.tags),
           'schema_version', append_event.schema_version, 'occurred_at', append_event.occurred_at))),
    append_event.expected_version, append_event.idempotency_key, append_event.tenant_id);
end
$$;

comment on function daybook.append_event(text, text, jsonb, jsonb, bigint, uuid, uuid, uuid, text[], integer, timestamptz, text, text) is
  'Appends one event to a stream: select * from daybook.append_event(''account-42'', ''MoneyDeposited'', ''{"amount": 100}''). Expected version: null any, 0 must not exist, n exactly n, -1 must exist (YD001 otherwise).';
