create or replace function daybook.apply_audit_trail(events daybook.event[]) returns void
language plpgsql volatile
as $$
begin
  insert into audit_trail (
    tenant_id, position, event_id, occurred_at, recorded_at, actor, action, entity_type, entity_id, stream_id, version,
    correlation_id, causation_id, details, metadata)
  select e.tenant_id, e.position, e.event_id, e.occurred_at, e.recorded_at,
         coalesce(e.metadata ->> 'actor', e.metadata ->> 'user_id', e.metadata ->> 'userId'), e.type, e.category,
         case when strpos(e.stream_id, '-') > 0 then substr(e.stream_id, strpos(e.stream_id, '-') + 1) end, e.stream_id, e.version,
         e.correlation_id, e.causation_id, e.data, e.metadata
    from unnest(apply_audit_trail.events) e
   order by e.tenant_id, e.position
      on conflict on constraint audit_trail_pkey do nothing;
end
$$;

comment on function daybook.apply_audit_trail(daybook.event[]) is 'What create_audit_trail applies.';
