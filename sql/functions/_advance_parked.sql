create or replace function daybook._advance_parked(
  version daybook.projection_versions,
  consumer daybook.consumers,
  through bigint,
  max_count integer
) returns table (handled integer, outcome text)
language plpgsql volatile
as $$
declare
  _parked daybook.parked_streams;
  _events daybook.event[];
  _most integer;
  _error jsonb;
  _failed daybook.event;
begin
  handled := 0;
  select p.* into _parked
    from daybook.parked_streams p
   where p.kind = 'projection' and p.name = consumer.name and p.position <= through
     and p.retry_at is not null and daybook._is_due(p.retry_at, p.waits_since)
   order by p.retry_at, p.tenant_id, p.stream_id
   limit 1;
  if not found then
    return next;
    return;
  end if;

  _most := case when _parked.attempts > 0 then 1 else max_count end;
  _events := array(select e from daybook.read_parked_events(
    consumer.name, _parked.stream_id, _parked.position, through, _most, 'projection', _parked.tenant_id) e);
  if cardinality(_events) > 0 then
    select a.done, a.error into handled, _error from daybook._apply_some(version, _events) a;
  end if;
  if _error is null or handled > 0 then
    perform daybook.finish_parked(
      'projection', consumer.name, _parked.stream_id, _parked.position,
      case when _error is null and cardinality(_events) < _most then through else _events[handled]."position" end, _parked.tenant_id);
  end if;
  if _error is not null then
    _failed := _events[handled + 1];
    outcome := daybook.fail_parked(
      'projection', consumer.name, _parked.stream_id, _failed."position", _failed.event_id, _failed.type, _error, _parked.tenant_id);
    outcome := case outcome when 'dead' then 'parked' when 'stale' then null else outcome end;
  end if;
  return next;
end
$$;

comment on function daybook._advance_parked(daybook.projection_versions, daybook.consumers, bigint, integer) is
  'What is due of a parked stream of a projection whose cursor is locked: applied, and its stream goes on behind it or waits again.';
