create or replace function daybook._check_idempotency_key(idempotency_key text) returns void
language plpgsql immutable
as $$
begin
  if length(idempotency_key) not between 1 and 255 then
    raise exception using
      errcode = 'YD108',
      message = 'an idempotency key has 1 to 255 characters',
      detail = jsonb_build_object('argument', 'idempotency_key', 'length', length(idempotency_key)),
      hint = 'Use a UUID or a hash of the request; leave it out where there is none.';
  end if;
end
$$;

comment on function daybook._check_idempotency_key(text) is 'Refuses empty and overlong idempotency keys: YD108.';
