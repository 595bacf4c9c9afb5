create or replace function daybook._is_held(tenant_id text, stream_id text) returns boolean
language plpgsql volatile
as $$
begin
  if not exists (select from daybook.stream_heads h where h.tenant_id = _is_held.tenant_id and h.stream_id = _is_held.stream_id) then
    return false;
  end if;
  perform from daybook.stream_heads h
    where h.tenant_id = _is_held.tenant_id and h.stream_id = _is_held.stream_id
      for no key update skip locked;
  return not found;
end
$$;

comment on function daybook._is_held(text, text) is
  'Whether another transaction holds the row of a stream, told without waiting for it; if none does, this one holds it from here on.';
