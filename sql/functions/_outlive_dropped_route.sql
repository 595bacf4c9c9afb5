-- A transaction that was open when a route was dropped may not have noticed yet, and goes on writing its messages in the
-- shape they had then. All of these are appends in flight: once the horizon has come to where the log ends now, they are over.
create or replace function daybook._outlive_dropped_route(route text) returns void
language plpgsql volatile
as $$
declare
  _last bigint := coalesce(pg_sequence_last_value('daybook.positions'::regclass), 0);
  _until timestamptz := clock_timestamp() + interval '10 seconds';
  _is_own boolean := hashtext(_outlive_dropped_route.route)::text = any (string_to_array(current_setting('daybook.dropped_routes', true), ' '));
begin
  if _is_own or exists (
       select from daybook.audit_log a where a.action = 'drop_route' and a.subject = 'route ' || _outlive_dropped_route.route) then
    while _is_own or daybook.horizon() < _last loop
      if _is_own or clock_timestamp() > _until then
        perform daybook._invalid_consumer('route', _outlive_dropped_route.route, array[
          case when _is_own then 'it was dropped in this transaction: commit that first'
          else 'it was dropped before, and a transaction is still open that may know it as it was: try again later, or take another name' end]);
      end if;
      perform pg_sleep(0.01);
    end loop;
  end if;
  delete from daybook.outbox_log l where l.route = _outlive_dropped_route.route;
end
$$;

comment on function daybook._outlive_dropped_route(text) is
  'Before a route is made whose name another one had: waits until nobody writes messages of that one, and deletes what it has left. Raises YD502 after ten seconds, and where it was dropped in this transaction.';
