create or replace function daybook.discard_dead_letter(dead_letter bigint, reason text) returns void
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  _found daybook.dead_letters_log;
begin
  perform daybook._check_reason(reason, 'discard_dead_letter');
  _found := daybook._open_dead_letter(discard_dead_letter.dead_letter);
  if daybook._settle_dead_letters(array[_found], 'discarded', reason) = 0 then
    perform daybook._open_dead_letter(discard_dead_letter.dead_letter);
  end if;
  perform daybook._audit('discard_dead_letter', _found.kind || ' ' || _found.name, jsonb_build_object(
    'dead_letter', _found.dead_letter, 'tenant_id', _found.tenant_id, 'stream_id', _found.stream_id, 'position', _found.position, 'reason', reason));
end
$$;

comment on function daybook.discard_dead_letter(bigint, text) is
  'Gives a dead letter up, for a reason: its stream goes on behind it. Raises YD504, YD506.';
