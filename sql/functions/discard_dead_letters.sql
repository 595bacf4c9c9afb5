create or replace function daybook.discard_dead_letters(
  kind text,
  name text,
  reason text,
  type text default null,
  stream_id text default null
) returns bigint
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  _count bigint;
begin
  perform daybook._check_reason(reason, 'discard_dead_letters');
  perform daybook._lock_consumer(discard_dead_letters.kind, discard_dead_letters.name);
  _count := daybook._settle_dead_letters(
    array(select d from daybook._open_dead_letters(
      discard_dead_letters.kind, discard_dead_letters.name, discard_dead_letters.type, discard_dead_letters.stream_id) d), 'discarded', reason);
  if _count > 0 then
    perform daybook._audit(
      'discard_dead_letters', discard_dead_letters.kind || ' ' || discard_dead_letters.name,
      jsonb_build_object('type', discard_dead_letters.type, 'stream_id', discard_dead_letters.stream_id, 'count', _count, 'reason', reason));
  end if;
  return _count;
end
$$;

comment on function daybook.discard_dead_letters(text, text, text, text, text) is
  'Gives up all open dead letters of a handler or route, or those of a type or stream of it, for a reason: their streams go on behind them. Returns how many. Raises YD501, YD506.';
