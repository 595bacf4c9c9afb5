create or replace function daybook._check_lease(max_count integer, lease interval, consumer text) returns void
language plpgsql immutable
as $$
declare
  _argument text := case
    when (max_count between 1 and 1000) is not true then 'max_count'
    when (lease > interval '0' and lease <= interval '1 day') is not true then 'lease'
    when not daybook._is_label(consumer) then 'consumer'
  end;
begin
  if _argument is not null then
    raise exception using
      errcode = 'YD108',
      message = 'max_count is 1 to 1000, lease more than nothing and at most a day, consumer a name of 1 to 255 characters',
      detail = jsonb_build_object('argument', _argument, 'max_count', max_count, 'lease', lease, 'consumer', consumer),
      hint = 'For example: select * from daybook.receive(''invoices'', 10, interval ''1 minute'', ''invoice-printer-1'')';
  end if;
end
$$;

comment on function daybook._check_lease(integer, interval, text) is 'Refuses arguments of receive that are out of bounds: YD108.';
