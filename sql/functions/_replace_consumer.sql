create or replace function daybook._replace_consumer(live daybook.projection_versions, next daybook.projection_versions, "position" bigint) returns void
language plpgsql volatile
as $$
begin
  delete from daybook.parked_streams p where p.kind = 'projection' and p.name = live.consumer;
  update daybook.dead_letters_log d
     set state = 'discarded', state_reason = format('replaced by version %s', next.version), changed_at = now()
   where d.kind = 'projection' and d.name = live.consumer and d.state in ('waiting', 'retrying');
  update daybook.dead_letters_log d set name = live.consumer where d.kind = 'projection' and d.name = next.consumer;

  update daybook.consumers k
     set types = n.types, categories = n.categories, on_failure = n.on_failure, max_attempts = n.max_attempts, base_delay = n.base_delay,
         max_delay = n.max_delay, changed_at = now(),
         state = case k.state when 'paused' then 'paused' else 'running' end, state_reason = case k.state when 'paused' then k.state_reason end
    from daybook.consumers n
   where n.kind = 'projection' and n.name = next.consumer and k.kind = 'projection' and k.name = live.consumer;
  update daybook.cursors c
     set position = _replace_consumer."position", event_id = n.event_id, attempts = 0, failed_position = null, retry_at = null, last_error = null,
         moved_at = clock_timestamp()
    from daybook.cursors n
   where n.kind = 'projection' and n.name = next.consumer and c.kind = 'projection' and c.name = live.consumer;
  delete from daybook.cursors c where c.kind = 'projection' and c.name = next.consumer;
  delete from daybook.consumers k where k.kind = 'projection' and k.name = next.consumer;

  update daybook.projection_versions v
     set stage = 'retired', consumer = format('%s@%s', v.name, v.version)
   where v.name = live.name and v.version = live.version;
  update daybook.projection_versions v
     set stage = 'live', consumer = live.consumer
   where v.name = next.name and v.version = next.version;
  perform daybook._audit('switch_projection', 'projection ' || live.name,
    jsonb_build_object('version', next.version, 'version_before', live.version, 'position', _replace_consumer."position"));
  perform daybook._drop_retired(live.name);
end
$$;

comment on function daybook._replace_consumer(daybook.projection_versions, daybook.projection_versions, bigint) is
  'The consumer of a projection goes on as that of its next version, from where that is; the old version is retired, and dropped unless somebody has it open.';
