create or replace function daybook._check_reason(reason text, action text) returns void
language plpgsql immutable
as $$
begin
  if coalesce(_check_reason.reason, '') !~ '\S' then
    raise exception using
      errcode = 'YD506',
      message = format('%s needs a reason', _check_reason.action),
      detail = jsonb_build_object('argument', 'reason', 'action', _check_reason.action),
      hint = 'Say why, in a few words: it is kept in the audit.';
  end if;
end
$$;

comment on function daybook._check_reason(text, text) is 'Refuses to do by hand, without a reason, what cannot be undone: YD506.';
