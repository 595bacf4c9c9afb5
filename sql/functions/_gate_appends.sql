-- Every append draws its positions in the INSERT that takes ROW EXCLUSIVE on this table, and has it until its transaction ends.
-- ONLY: the partitions have other locks of their own.
create or replace function daybook._gate_appends() returns boolean
language plpgsql volatile
set lock_timeout = '100ms'
as $$
begin
  lock table only daybook.event_log in share mode;
  return true;
exception when lock_not_available then
  return false;
end
$$;

comment on function daybook._gate_appends() is
  'Holds appends up until the transaction ends: none is in flight then, and all up to the last value of positions is there to be seen. False: others were appending for longer than 100 ms.';
