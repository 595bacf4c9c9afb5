create or replace function daybook._advance_log(
  version daybook.projection_versions,
  consumer daybook.consumers,
  cursor daybook.cursors,
  horizon bigint,
  max_count integer
) returns table (handled integer, "position" bigint, outcome text)
language plpgsql volatile
as $$
declare
  _begun timestamptz := clock_timestamp();
  _batch record;
  _events daybook.event[];
  _count integer;
  _last daybook.event;
  _failed daybook.event;
  _error jsonb;
begin
  -- one that has failed is tried alone: what lies behind it would be done and undone each time
  _batch := daybook._next_batch(consumer, cursor."position", horizon, case when cursor.failed_position is null then max_count else 1 end);
  _events := _batch.events;
  _count := cardinality(_events);
  handled := _count;
  if _count > 0 then
    select a.done, a.error into handled, _error from daybook._apply_some(version, _events) a;
    _last := _events[handled];
  end if;
  "position" := case
    when _error is not null then coalesce(_last."position", cursor."position")
    when _count < _batch.asked then horizon
    else _last."position" end;

  if "position" > cursor."position" then
    update daybook.cursors c
       set position = _advance_log."position", event_id = coalesce(_last.event_id, c.event_id), moved_at = clock_timestamp(),
           attempts = 0, failed_position = null, retry_at = null, last_error = null
     where c.kind = 'projection' and c.name = consumer.name;
  end if;
  if _count > 0 then
    perform daybook._count_handled(version, handled, _begun);
  end if;
  if _error is null then
    return next;
    return;
  end if;

  _failed := _events[handled + 1];
  outcome := case
    when _error ->> 'code' = 'YD608' then daybook._halt_at(consumer, _failed, _error)
    else daybook.fail_message('projection', consumer.name, 0, "position", _failed."position", _failed.stream_id, _failed.event_id, _failed.type, _error, 1, _failed.tenant_id)
  end;
  if outcome = 'skipped' then
    "position" := _failed."position";
  end if;
  return next;
end
$$;

comment on function daybook._advance_log(daybook.projection_versions, daybook.consumers, daybook.cursors, bigint, integer) is
  'The next batch of a projection whose cursor is locked: read, applied, its position moved; on a failure up to the event that failed, and what follows is that of fail_message.';
