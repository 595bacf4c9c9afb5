create or replace function daybook.apply_last_events(events daybook.event[]) returns void
language plpgsql volatile
as $$
begin
  insert into last_events as l (
    tenant_id, stream_id, category, version, position, event_id, type, data, metadata, correlation_id, occurred_at, recorded_at)
  select distinct on (e.tenant_id collate "C", e.stream_id collate "C")
         e.tenant_id, e.stream_id, e.category, e.version, e.position, e.event_id, e.type, e.data, e.metadata, e.correlation_id, e.occurred_at, e.recorded_at
    from unnest(apply_last_events.events) e
   order by e.tenant_id collate "C", e.stream_id collate "C", e.version desc
      on conflict on constraint last_events_pkey do update
     set version = excluded.version, position = excluded.position, event_id = excluded.event_id, type = excluded.type, data = excluded.data,
         metadata = excluded.metadata, correlation_id = excluded.correlation_id, occurred_at = excluded.occurred_at, recorded_at = excluded.recorded_at
   where excluded.version > l.version;
end
$$;

comment on function daybook.apply_last_events(daybook.event[]) is 'What create_last_events applies.';
