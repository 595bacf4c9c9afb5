create or replace function daybook.forget_processed_messages(max_count integer default 10000) returns bigint
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  _count bigint;
begin
  delete from daybook.processed_messages m
   where m.ctid = any (array(
     select o.ctid from daybook.processed_messages o
      where o.processed_at < clock_timestamp() - (select c.processed_retention from daybook.settings c)
      order by o.processed_at
      limit max_count
        for update skip locked));
  get diagnostics _count = row_count;
  return _count;
end
$$;

comment on function daybook.forget_processed_messages(integer) is 'Deletes up to max_count of what process_once remembers for longer than settings.processed_retention and returns how many.';
