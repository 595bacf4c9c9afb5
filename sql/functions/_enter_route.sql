-- Whoever receives holds streams in an order of its own, and what is done to a whole route would take them in another: the
-- one waits for the other here, before either holds a row.
create or replace function daybook._enter_route(route text, alone boolean) returns void
language plpgsql volatile
as $$
begin
  if alone then
    perform pg_advisory_xact_lock(1145196368, hashtext(_enter_route.route));
  else
    perform pg_advisory_xact_lock_shared(1145196368, hashtext(_enter_route.route));
  end if;
end
$$;

comment on function daybook._enter_route(text, boolean) is
  'Taken before anything else of a route is locked: alone by what is done to the whole of it (reset, drop, dead letters), shared by receive, ack and nack. Held until the transaction ends.';
