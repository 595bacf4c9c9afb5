create or replace function daybook.read_outbox_for(
  name text,
  "position" bigint,
  horizon bigint,
  max_count integer default 500,
  shard integer default 0,
  shard_count integer default 1
) returns setof daybook.message
language plpgsql stable
set enable_bitmapscan = off
set enable_seqscan = off
set jit = off
as $$
begin
  perform daybook._check_count(max_count, "position");
  return query
    select l.position, l.tenant_id, l.route, l.message_id, l.stream_id, l.version, l.topic, l.type, l.type_version, l.data,
           coalesce(l.metadata, '{}'), l.correlation_id, l.causation_id, l.occurred_at, l.written_at
      from daybook.outbox_log l
     where l.route = read_outbox_for.name
       and l.position > read_outbox_for."position"
       and l.position <= read_outbox_for.horizon
       and (shard_count = 1 or daybook._shard(l.stream_id, shard_count) = shard)
       and not exists (
         select from daybook.parked_streams p
          where p.tenant_id = l.tenant_id and p.kind = 'route' and p.name = read_outbox_for.name and p.stream_id = l.stream_id)
     order by l.position
     limit max_count;
end
$$;

comment on function daybook.read_outbox_for(text, bigint, bigint, integer, integer, integer) is
  'The next messages of a route behind a position, up to a horizon that was read in an earlier statement, of the streams of one shard that are not parked. Fewer than max_count: all up to the horizon has been seen.';
