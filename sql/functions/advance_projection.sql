create or replace function daybook.advance_projection(name text, max_count integer default 1000)
returns table (handled integer, "position" bigint, more boolean, outcome text)
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  _version daybook.projection_versions := daybook._projection_version(advance_projection.name);
  _cursor daybook.cursors;
  _consumer daybook.consumers;
  _horizon bigint;
begin
  perform daybook._check_count(max_count, 0);
  handled := 0;
  more := false;
  select c.* into _cursor
    from daybook.cursors c
   where c.kind = 'projection' and c.name = advance_projection.name
     for update skip locked;
  -- what whoever had it before has committed is seen from here on
  select k.* into _consumer from daybook.consumers k where k.kind = 'projection' and k.name = advance_projection.name;
  select v.* into _version from daybook.projection_versions v where v.consumer = advance_projection.name and v.stage <> 'retired';
  if not found then
    perform daybook._unknown_projection(advance_projection.name);
  end if;
  perform daybook._check_not_narrowed(_consumer.tenant_id);
  "position" := coalesce(_cursor."position", 0);
  outcome := case
    when _cursor."position" is null then 'busy'
    when _consumer.state <> 'running' then _consumer.state
  end;
  if outcome is not null then
    return next;
    return;
  end if;
  perform daybook._consumer_ahead('projection', _consumer.name, _cursor."position");

  _horizon := daybook._own_horizon();
  if _version.takes <> 'typescript' then
    if exists (
         select from daybook.parked_streams p
          where p.kind = 'projection' and p.name = _consumer.name and p.position <= _cursor."position"
            and p.retry_at is not null and daybook._is_due(p.retry_at, p.waits_since)) then
      select a.handled, a.outcome into handled, outcome from daybook._advance_parked(_version, _consumer, _cursor."position", max_count) a;
    end if;
    if daybook._is_due(_cursor.retry_at, (_cursor.last_error ->> 'at')::timestamptz) then
      if _cursor."position" < _horizon then
        select advance_projection.handled + a.handled, a."position", coalesce(a.outcome, advance_projection.outcome)
          into handled, "position", outcome
          from daybook._advance_log(_version, _consumer, _cursor, _horizon, max_count) a;
      end if;
    else
      outcome := coalesce(outcome, 'waiting');
    end if;
  end if;
  if _version.takes = 'typescript' and "position" < _horizon then
    outcome := 'typescript';
  end if;
  more := "position" < _horizon and (outcome is null or outcome in ('parked', 'skipped'));

  if outcome is null and "position" >= _horizon and (_version.stage = 'building' or _version.mode = 'inline')
     and daybook._is_due(_version.switch_at, null) then
    select s.outcome, coalesce(s."position", advance_projection."position"), advance_projection.handled + s.handled
      into outcome, "position", handled
      from daybook._try_switch(_consumer.name) s;
  end if;
  outcome := coalesce(outcome, case when more then 'more' else 'done' end);
  return next;
end
$$;

comment on function daybook.advance_projection(text, integer) is
  'Gives a projection (<name>, or <name>@<version> for the one that is being built) its next max_count events, in the caller''s transaction. more: there are others. outcome: more, done (it has come to the end), retry, parked, skipped or halted (an event failed; what lies before it is done), waiting (for the next try), busy (somebody else has it), paused, halted, inline, switched (it has taken the place of the live one, or is kept up to date by appends from here on). For code in TypeScript it only switches, once a worker has come to the end with it (outcome typescript until then). Raises YD601, YD402, YD403, and what says "do it again".';
