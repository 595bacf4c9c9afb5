create or replace function daybook.replay_handler(name text, start_from text, replay_as text) returns bigint
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  _definition daybook.consumers;
begin
  select k.* into _definition from daybook.consumers k where k.kind = 'handler' and k.name = replay_handler.name;
  if not found then
    perform daybook._unknown_consumer('handler', replay_handler.name);
  end if;
  _definition.name := replay_as;
  if not daybook._create_consumer(_definition, start_from) then
    perform daybook._invalid_consumer('handler', replay_as, array['it is there already: reset_handler has it begin again']);
  end if;
  perform daybook._audit(
    'replay_handler', 'handler ' || replay_handler.name, jsonb_build_object('start_from', start_from, 'replay_as', replay_as));
  return (select min(c.position) from daybook.cursors c where c.kind = 'handler' and c.name = replay_as);
end
$$;

comment on function daybook.replay_handler(text, text, text) is
  'Runs a handler''s code a second time, from start_from on and under a name and position of its own (replay_as), beside the first: to fill something new, or to see what it does. It goes on until drop_handler. Returns where it starts. Raises YD501, YD502, YD108, YD403.';
