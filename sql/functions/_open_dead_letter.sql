create or replace function daybook._open_dead_letter(dead_letter bigint) returns daybook.dead_letters_log
language plpgsql stable
as $$
declare
  _visible text[] := daybook.visible_tenants();
  _found daybook.dead_letters_log;
begin
  select d.* into _found
    from daybook.dead_letters_log d
   where d.dead_letter = _open_dead_letter.dead_letter and (_visible is null or d.tenant_id = any (_visible));
  if _found.state is null or _found.state not in ('waiting', 'retrying') then
    raise exception using
      errcode = 'YD504',
      message = format('dead letter %s is %s', coalesce(_open_dead_letter.dead_letter::text, 'null'), coalesce(_found.state, 'not there')),
      detail = jsonb_build_object('dead_letter', _open_dead_letter.dead_letter, 'state', _found.state),
      hint = 'Those that are open: select * from daybook.dead_letters where state in (''waiting'', ''retrying'').';
  end if;
  return _found;
end
$$;

comment on function daybook._open_dead_letter(bigint) is 'A dead letter that waits for a person or is being retried. Raises YD504.';
