create or replace function daybook.reset_handler(name text, start_from text default 'start', reason text default null) returns bigint
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  return daybook._reset_consumer('handler', reset_handler.name, start_from, reason);
end
$$;

comment on function daybook.reset_handler(text, text, text) is
  'Has a handler begin again from start_from (start, now, the position behind which to start, or a moment): all it has done since is done again. Its parked streams are no longer parked, its open dead letters are discarded, and it runs if it was halted. Returns the position. Raises YD501, YD108, YD403, and YD202 in a narrowed session.';
