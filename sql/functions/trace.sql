create or replace function daybook.trace(correlation_id uuid, tenant_id text default null)
returns table (depth integer, path uuid[], event daybook.event)
language plpgsql stable
set enable_seqscan = off
set jit = off
set enable_bitmapscan = off
as $$
declare
  _tenant text := daybook._tenant(trace.tenant_id);
begin
  -- as horizon does: notice partitions attached since this transaction opened the log
  perform pg_relation_is_updatable('daybook.every_tenant'::regclass, false);
  return query
    with recursive story as materialized (
      select e.* from daybook.events e where e.correlation_id = trace.correlation_id and e.tenant_id = _tenant
    ), tree as (
      select 0 as depth, array[s.event_id] as path, array[s.position] as place, s.event_id
        from story s
       where s.causation_id is null or s.causation_id = s.event_id
          or not exists (select from story c where c.event_id = s.causation_id)
      union all
      select t.depth + 1, t.path || s.event_id, t.place || s.position, s.event_id
        from tree t
        join story s on s.causation_id = t.event_id and s.event_id <> all (t.path)
    ), found as (
      select t.* from tree t
      union all
      -- who causes whom runs in a circle: no root leads there
      select 0, array[s.event_id], array[s.position], s.event_id
        from story s
       where not exists (select from tree t where t.event_id = s.event_id)
    )
    select t.depth, t.path,
           (s.position, s.tenant_id, s.stream_id, s.version, s.category, s.type, s.data, s.metadata, s.event_id, s.correlation_id,
            s.causation_id, s.schema_version, s.tags, s.occurred_at, s.recorded_at)::daybook.event
      from found t
      join story s on s.event_id = t.event_id and s.position = t.place[cardinality(t.place)]
     order by t.place;
end
$$;

comment on function daybook.trace(uuid, text) is 'The events of one correlation id as a tree, each under what caused it: depth, the ids from the root, the event. In the order in which a tree is read; events that cause each other in a circle stand by themselves.';
