create or replace function daybook.forget_idempotency_keys(max_count integer default 10000) returns bigint
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  _count bigint;
begin
  delete from daybook.idempotency_keys k
   where k.ctid = any (array(
     select o.ctid from daybook.idempotency_keys o
      where o.created_at < clock_timestamp() - (select c.idempotency_retention from daybook.settings c)
      order by o.created_at
      limit max_count
        for update skip locked));
  get diagnostics _count = row_count;
  return _count;
end
$$;

comment on function daybook.forget_idempotency_keys(integer) is
  'Deletes up to max_count idempotency keys older than settings.idempotency_retention and returns how many. They are ignored from that age on; this frees their room.';
