create or replace function daybook.advance_handler(name text, "position" bigint, reason text) returns bigint
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  _positions jsonb;
begin
  perform daybook._check_reason(reason, 'advance_handler');
  if advance_handler."position" is null or advance_handler."position" < 0 then
    raise exception using
      errcode = 'YD108',
      message = 'positions are not negative',
      detail = jsonb_build_object('argument', 'position', 'value', advance_handler."position"),
      hint = 'Pass the position of the last event that the handler is to be done with.';
  end if;
  perform daybook._lock_consumer('handler', advance_handler.name);
  perform daybook._consumer_ahead('handler', advance_handler.name, advance_handler."position");
  select jsonb_agg(c.position order by c.shard) into _positions from daybook.cursors c where c.kind = 'handler' and c.name = advance_handler.name;
  update daybook.cursors c
     set position = advance_handler."position", event_id = null, attempts = 0, postponed = 0, failed_position = null, retry_at = null, last_error = null,
         moved_at = clock_timestamp()
   where c.kind = 'handler' and c.name = advance_handler.name and c.position < advance_handler."position";
  perform daybook._audit('advance_handler', 'handler ' || advance_handler.name,
    jsonb_build_object('position', advance_handler."position", 'positions_before', _positions, 'reason', reason));
  return (select min(c.position) from daybook.cursors c where c.kind = 'handler' and c.name = advance_handler.name);
end
$$;

comment on function daybook.advance_handler(text, bigint, text) is
  'Has a handler go on behind a position, without being given what lies before it; never back (that is reset_handler). Parked streams stay parked, a halted or paused handler stays so until resume_handler. Returns where it is. Raises YD501, YD506, YD108, YD403.';
