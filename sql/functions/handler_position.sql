create or replace function daybook.handler_position(name text) returns bigint
language plpgsql stable security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  _position bigint := (select min(c.position) from daybook.cursors c where c.kind = 'handler' and c.name = handler_position.name);
begin
  if _position is null then
    perform daybook._unknown_consumer('handler', handler_position.name);
  end if;
  perform daybook._consumer_ahead('handler', handler_position.name,
    (select max(c.position) from daybook.cursors c where c.kind = 'handler' and c.name = handler_position.name));
  return _position;
end
$$;

comment on function daybook.handler_position(text) is
  'Up to where a handler is done with the log (but for streams that are parked for it): the position of the slowest of its shards. Raises YD501, and YD403 where it lies beyond the end of the log.';
