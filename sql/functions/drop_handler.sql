create or replace function daybook.drop_handler(name text, reason text default null) returns void
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  _positions jsonb;
begin
  -- a narrowed session would leave the parked streams of other tenants behind, for the next handler of that name
  perform daybook._check_not_narrowed((daybook._lock_consumer('handler', drop_handler.name)).tenant_id);
  select jsonb_agg(c.position order by c.shard) into _positions from daybook.cursors c where c.kind = 'handler' and c.name = drop_handler.name;
  update daybook.dead_letters_log d
     set state = 'discarded', state_reason = coalesce(drop_handler.reason, 'the handler was dropped'), changed_at = now()
   where d.kind = 'handler' and d.name = drop_handler.name and d.state in ('waiting', 'retrying');
  delete from daybook.parked_streams p where p.kind = 'handler' and p.name = drop_handler.name;
  delete from daybook.cursors c where c.kind = 'handler' and c.name = drop_handler.name;
  delete from daybook.consumers k where k.kind = 'handler' and k.name = drop_handler.name;
  perform daybook._audit('drop_handler', 'handler ' || drop_handler.name, jsonb_build_object('positions', _positions, 'reason', drop_handler.reason));
end
$$;

comment on function daybook.drop_handler(text, text) is
  'Drops a handler: its position, its parked streams; its open dead letters are discarded. What it has written stays. Stop the workers that have it in their code, or they will make it again. Raises YD501, and YD202 in a narrowed session.';
