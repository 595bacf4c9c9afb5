-- What a route with a mapping makes public is what its mapping gives: who did it and from where (metadata) stays inside.
create or replace function daybook._write_outbox(events daybook.event[]) returns bigint
language plpgsql volatile
as $$
declare
  _count bigint;
begin
  insert into daybook.outbox_log (
    position, tenant_id, route, message_id, stream_id, version, topic, type, type_version, data, metadata,
    correlation_id, causation_id, occurred_at)
  select e.position, e.tenant_id, r.name, e.event_id, e.stream_id, e.version, format(r.topic, e.category, e.type, e.tenant_id, e.stream_id),
         coalesce(r.public_name, e.type), r.public_version, m.data, case when not r.mapped then nullif(e.metadata, '{}') end, e.correlation_id, e.causation_id, e.occurred_at
    from unnest(events) e
    join unnest(daybook._routes()) r
      on not r.direct
     and (r.categories is null or e.category = any (r.categories))
     and (r.types is null or e.type = any (r.types))
     and (r.tenant_id is null or r.tenant_id = e.tenant_id)
   cross join lateral (select case when r.mapped then daybook._map_event(r.name, e) else e.data end as data offset 0) m
   where m.data is not null;
  get diagnostics _count = row_count;
  return _count;
end
$$;

comment on function daybook._write_outbox(daybook.event[]) is 'Puts events into the outbox, a row for each route that wants them, in the transaction that appends them. Returns how many rows.';
