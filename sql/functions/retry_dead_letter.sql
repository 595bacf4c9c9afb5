create or replace function daybook.retry_dead_letter(dead_letter bigint) returns void
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  _found daybook.dead_letters_log := daybook._open_dead_letter(retry_dead_letter.dead_letter);
begin
  if daybook._settle_dead_letters(array[_found], 'retrying') = 0 then
    perform daybook._open_dead_letter(retry_dead_letter.dead_letter);
  end if;
  perform daybook._audit('retry_dead_letter', _found.kind || ' ' || _found.name, jsonb_build_object(
    'dead_letter', _found.dead_letter, 'tenant_id', _found.tenant_id, 'stream_id', _found.stream_id, 'position', _found.position));
end
$$;

comment on function daybook.retry_dead_letter(bigint) is
  'Has a dead letter tried again at once, with all its tries before it; its stream goes on behind it once it has succeeded. Raises YD504.';
