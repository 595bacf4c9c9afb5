create or replace function daybook._check_count(max_count integer, at_least bigint default 0) returns void
language plpgsql immutable
as $$
begin
  if max_count is null or max_count not between 1 and 100000 then
    raise exception using
      errcode = 'YD108',
      message = 'max_count is 1 to 100000',
      detail = jsonb_build_object('argument', 'max_count', 'value', max_count),
      hint = 'What is more than that is read, or done, page by page: the next call goes on behind the last position (or version) of this one.';
  elsif at_least is null or at_least < 0 then
    raise exception using
      errcode = 'YD108',
      message = 'positions and versions are not negative',
      detail = jsonb_build_object('value', at_least),
      hint = 'Positions count from 0 (before the first event), versions from 1.';
  end if;
end
$$;

comment on function daybook._check_count(integer, bigint) is 'Refuses page sizes out of bounds and negative positions: YD108.';
