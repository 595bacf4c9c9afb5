-- What is in flight has been applied by whoever appends it, once appends are held up; what comes after is not.
create or replace function daybook._stop_inline(projection text, state text, reason text) returns boolean
language plpgsql volatile
as $$
declare
  _was daybook.consumers := daybook._lock_consumer('projection', _stop_inline.projection);
begin
  if _was.state <> 'inline' then
    return false;
  end if;
  for _try in 1 .. 10 loop
    exit when daybook._gate_appends();
    if _try = 10 then
      raise exception using
        errcode = '55P03',
        message = format('projection %s is kept up to date by appends, and a transaction that appends takes longer', quote_literal(_stop_inline.projection)),
        hint = 'Try again once it has ended: select * from pg_stat_activity where xact_start < now() - interval ''1 second''.';
    end if;
    perform pg_sleep(0.1);
  end loop;
  update daybook.cursors c
     set position = coalesce(pg_sequence_last_value('daybook.positions'::regclass), 0), moved_at = clock_timestamp()
   where c.kind = 'projection' and c.name = _stop_inline.projection;
  update daybook.consumers k
     set state = _stop_inline.state, state_reason = _stop_inline.reason, changed_at = now()
   where k.kind = 'projection' and k.name = _stop_inline.projection;
  perform daybook._set_inline(_stop_inline.projection, 0, false);
  return true;
end
$$;

comment on function daybook._stop_inline(text, text, text) is
  'Has appends no longer apply their events to an inline projection; its position says up to where they did. Returns whether they did. Raises YD501, and 55P03 where appends cannot be held up for it within two seconds.';
