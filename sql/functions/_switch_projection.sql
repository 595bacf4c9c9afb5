-- Inline: with appends held up nothing is in flight, so the last stretch is applied here and everything behind is applied by
-- appends, which find the new version in their plans when they go on.
create or replace function daybook._switch_projection(version daybook.projection_versions, max_positions bigint default 2000)
returns table (outcome text, "position" bigint, handled integer)
language plpgsql volatile
set lock_timeout = '100ms'
as $$
declare
  _live daybook.projection_versions;
  _was daybook.consumers;
  _consumer daybook.consumers;
  _live_position bigint;
  _last bigint;
begin
  handled := 0;
  select v.* into _live from daybook.projection_versions v where v.name = version.name and v.stage = 'live' for update;
  select c.position into _live_position from daybook.cursors c where c.kind = 'projection' and c.name = _live.consumer for update;
  select c.position into "position" from daybook.cursors c where c.kind = 'projection' and c.name = version.consumer for update;
  select k.* into _was from daybook.consumers k where k.kind = 'projection' and k.name = _live.consumer for update;
  select k.* into _consumer from daybook.consumers k where k.kind = 'projection' and k.name = version.consumer for update;
  if exists (select from daybook.parked_streams p where p.kind = 'projection' and p.name = version.consumer) then
    outcome := 'streams of it are parked: retry or discard their dead letters';
    return next;
    return;
  elsif _was.state <> 'inline' and "position" < _live_position then
    return next;
    return;
  end if;

  if version.mode = 'inline' or _was.state = 'inline' then
    if not daybook._gate_appends() then
      outcome := 'a transaction that appends takes longer';
      return next;
      return;
    end if;
    _last := coalesce(pg_sequence_last_value('daybook.positions'::regclass), 0);
    if version.mode = 'inline' and _was.state <> 'paused' then
      if _last - "position" > max_positions then
        return next;
        return;
      end if;
      handled := daybook._catch_up(version, _consumer, "position", _last);
      if handled is null then
        return next;
        return;
      end if;
      "position" := _last;
    end if;
  end if;

  if _live.version <> version.version then
    perform daybook._switch_views(_live, version);
    perform daybook._replace_consumer(_live, version, "position");
  else
    update daybook.cursors c set position = _switch_projection."position", moved_at = clock_timestamp()
     where c.kind = 'projection' and c.name = version.consumer and c.position < _switch_projection."position";
  end if;
  update daybook.projection_versions v
     set attempts = 0, switch_at = null, waits_for = null, state_reason = null, live_at = coalesce(v.live_at, clock_timestamp()), handled = v.handled + _switch_projection.handled
   where v.name = version.name and v.version = version.version;
  if version.mode = 'inline' or _was.state = 'inline' then
    perform daybook._set_inline(version.name, version.version, version.mode = 'inline' and _was.state <> 'paused');
  end if;
  outcome := 'switched';
  return next;
end
$$;

comment on function daybook._switch_projection(daybook.projection_versions, bigint) is
  'Has a version that has caught up take the place of the live one, or has appends keep an inline projection up to date from here on. outcome: switched; null = the log is more than max_positions ahead, or the live version is; or what is in the way.';
