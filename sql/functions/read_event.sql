create or replace function daybook.read_event(event_id uuid, tenant_id text default null) returns setof daybook.event
language plpgsql stable
set enable_seqscan = off
set jit = off
set enable_bitmapscan = off
as $$
declare
  _tenant text := daybook._tenant(read_event.tenant_id);
begin
  -- as horizon does: notice partitions attached since this transaction opened the log
  perform pg_relation_is_updatable('daybook.every_tenant'::regclass, false);
  return query
    select e.position, e.tenant_id, e.stream_id, e.version, e.category, e.type, e.data, e.metadata, e.event_id, e.correlation_id,
           e.causation_id, e.schema_version, e.tags, e.occurred_at, e.recorded_at
      -- by its id alone: on a young table the planner would take the index that begins with the tenant, or walk the log
      from (select e.* from daybook.events e where e.event_id = read_event.event_id offset 0) e
     where e.tenant_id = _tenant
     order by e.position
     limit 1;
end
$$;

comment on function daybook.read_event(uuid, text) is 'The event with an id: one row, or none.';
