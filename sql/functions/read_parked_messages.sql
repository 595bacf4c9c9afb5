create or replace function daybook.read_parked_messages(
  name text,
  stream_id text,
  from_position bigint,
  through bigint,
  max_count integer default 500,
  tenant_id text default null
) returns setof daybook.message
language plpgsql stable
as $$
declare
  _tenant text := daybook._tenant(read_parked_messages.tenant_id);
begin
  perform daybook._check_count(max_count, from_position);
  return query
    select l.position, l.tenant_id, l.route, l.message_id, l.stream_id, l.version, l.topic, l.type, l.type_version, l.data,
           coalesce(l.metadata, '{}'), l.correlation_id, l.causation_id, l.occurred_at, l.written_at
      from daybook.outbox_log l
     where l.tenant_id = _tenant
       and l.stream_id = read_parked_messages.stream_id
       and l.route = read_parked_messages.name
       and l.position between from_position and through
     order by l.position
     limit max_count;
end
$$;

comment on function daybook.read_parked_messages(text, text, bigint, bigint, integer, text) is
  'Messages of one stream of a route, from a position through another: what waits while the stream is parked. Fewer than max_count: there are no more.';
