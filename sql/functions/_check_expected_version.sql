create or replace function daybook._check_expected_version(expected_version bigint) returns void
language plpgsql immutable
as $$
begin
  if expected_version < -1 then
    raise exception using
      errcode = 'YD104',
      message = format('%s is no expected version', expected_version),
      detail = jsonb_build_object('expected_version', expected_version),
      hint = 'Expect null (any), 0 (the stream must not exist), n (exactly n) or -1 (it must exist).';
  end if;
end
$$;

comment on function daybook._check_expected_version(bigint) is 'Refuses negative versions other than -1: YD104.';
