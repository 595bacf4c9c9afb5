create or replace function daybook._check_not_narrowed(tenant_id text) returns void
language plpgsql stable
as $$
declare
  _narrowed text := nullif(current_setting('daybook.tenant', true), '');
begin
  if _narrowed is distinct from _check_not_narrowed.tenant_id and _narrowed is not null then
    raise exception using
      errcode = 'YD202',
      message = format('this session is narrowed to tenant %s, and this concerns what belongs to others too', quote_ident(_narrowed)),
      detail = jsonb_build_object('tenant_id', _check_not_narrowed.tenant_id, 'narrowed_to', _narrowed),
      hint = 'Do it in a session without the setting (RESET daybook.tenant; in a pooled connection, end the transaction that set it). A drain narrows itself for the call of a handler alone.';
  end if;
end
$$;

comment on function daybook._check_not_narrowed(text) is 'Refuses to read for a consumer, or to make, change or drop one, in a session narrowed to another tenant than the one it is bound to (null = none): YD202.';
