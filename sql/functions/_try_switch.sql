-- In a savepoint: whoever is in the way (a long append, a long read of the views) is not waited for longer than 100 ms, while
-- others queue up behind; all is let go then, and it is tried again when those who were in the way have ended. So a
-- transaction, however long, has others wait once.
create or replace function daybook._try_switch(consumer text, max_positions bigint default 2000) returns table (outcome text, "position" bigint, handled integer)
language plpgsql volatile
as $$
declare
  _version daybook.projection_versions := daybook._projection_version(_try_switch.consumer);
  _reason text;
  _waits_for text[];
begin
  if _version.waits_for && daybook._in_the_way(_version) then
    update daybook.projection_versions v
       set switch_at = clock_timestamp() + interval '100 milliseconds'
     where v.name = _version.name and v.version = _version.version;
    outcome := 'waiting';
    handled := 0;
    return next;
    return;
  elsif _version.stage = 'building' and _version.attempts = 0 and _version.tables <> '{}' then
    -- readers are to find good plans at once
    perform daybook._as_projector('analyze ' || (
      select string_agg(format('%I.%I', _version.schema_name, t), ', ') from jsonb_object_keys(_version.tables) t));
  end if;

  begin
    select s.outcome, s."position", s.handled into outcome, "position", handled from daybook._switch_projection(_version, max_positions) s;
    if outcome = 'switched' then
      return next;
      return;
    end if;
    -- not there yet, or something to see to first: what it holds goes with the savepoint
    raise exception using errcode = 'YD000', message = coalesce(outcome, '');
  exception
    when sqlstate 'YD000' then
      _reason := sqlerrm;
    when lock_not_available then
      _reason := 'something that takes longer has its tables or views open';
    when dependent_objects_still_exist or insufficient_privilege or wrong_object_type then
      _reason := sqlerrm;
  end;

  "position" := null;
  handled := 0;
  outcome := case when _reason = '' then null else 'waiting' end;
  _waits_for := case when _reason <> '' then daybook._in_the_way(_version) end;
  update daybook.projection_versions v
     set attempts = v.attempts + 1,
         state_reason = nullif(_reason, ''),
         waits_for = nullif(_waits_for, '{}'),
         switch_at = case when _reason <> '' then clock_timestamp() + least(interval '50 milliseconds' * power(2, least(v.attempts, 10)), interval '5 seconds') end
   where v.name = _version.name and v.version = _version.version;
  return next;
end
$$;

comment on function daybook._try_switch(text, bigint) is
  'Switches to a version that has caught up, if nobody is in the way; else says when it is tried again, and why. outcome: switched, waiting, null (the log has gone on meanwhile).';
