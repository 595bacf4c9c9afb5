create or replace function daybook.wait_for(projection text, "position" bigint, timeout interval default '5 seconds') returns bigint
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  _until timestamptz := clock_timestamp() + timeout;
  _last bigint := coalesce(pg_sequence_last_value('daybook.positions'::regclass), 0);
  _state text;
  _reached bigint;
  _pause double precision := 0.001;
begin
  if current_setting('transaction_isolation') not in ('read committed', 'read uncommitted') then
    raise exception using
      errcode = 'YD402',
      message = 'waiting for a projection under ' || current_setting('transaction_isolation') || ' would never end: its snapshot stays',
      detail = jsonb_build_object('isolation', current_setting('transaction_isolation')),
      hint = 'Wait before the transaction begins, or in one of isolation level READ COMMITTED.';
  elsif wait_for."position" > _last then
    raise exception using
      errcode = 'YD403',
      message = format('position %s lies beyond the end of the log, %s', wait_for."position", _last),
      detail = jsonb_build_object('position', wait_for."position", 'last_position', _last),
      hint = 'Pass the last_position that an append has returned.';
  elsif wait_for."position" is null or timeout is null then
    raise exception using
      errcode = 'YD108',
      message = 'wait_for takes a position and a timeout',
      detail = jsonb_build_object('position', wait_for."position", 'timeout', timeout),
      hint = 'Pass the last_position that an append has returned.';
  end if;

  loop
    select k.state, c.position into _state, _reached
      from daybook.consumers k
      join daybook.cursors c on c.kind = k.kind and c.name = k.name
     where k.kind = 'projection' and k.name = projection;
    if not found then
      perform daybook._unknown_projection(projection);
    elsif _state = 'inline' then
      return greatest(_reached, wait_for."position");
    elsif _reached >= wait_for."position" then
      return _reached;
    elsif daybook._follows_nothing(projection, _reached, wait_for."position") then
      return wait_for."position";
    elsif clock_timestamp() >= _until then
      raise exception using
        errcode = 'YD606',
        message = format('projection %s is at position %s and has not come to %s within %s', quote_literal(projection), _reached, wait_for."position", timeout),
        detail = jsonb_build_object('projection', projection, 'position', wait_for."position", 'reached', _reached, 'state', _state),
        hint = case _state when 'running' then 'Is a worker running? Wait longer, or answer with what is there.'
               else format('It is %s: select * from daybook.projections', _state) end;
    end if;
    perform pg_sleep(least(_pause, greatest(extract(epoch from _until - clock_timestamp()), 0)));
    _pause := least(_pause * 1.5, 0.02);
  end loop;
end
$$;

comment on function daybook.wait_for(text, bigint, interval) is
  'Waits until a projection has come to a position, such as the last_position of an append that has been committed: what is read afterwards has that event in it. Returns its position; at once for an inline one. Raises YD601, YD606 when the time is over, YD402, YD403.';
