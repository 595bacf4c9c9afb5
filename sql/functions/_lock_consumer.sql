create or replace function daybook._lock_consumer(kind text, name text) returns daybook.consumers
language plpgsql volatile
as $$
declare
  _locked bigint;
  _consumer daybook.consumers;
begin
  loop
    select count(*) into _locked
      from (select from daybook.cursors c
             where c.kind = _lock_consumer.kind and c.name = _lock_consumer.name
             order by c.shard
               for update) l;
    select k.* into _consumer
      from daybook.consumers k
     where k.kind = _lock_consumer.kind and k.name = _lock_consumer.name
       for update;
    if not found then
      perform daybook._unknown_consumer(_lock_consumer.kind, _lock_consumer.name);
    end if;
    -- its shards may have been changed while they were waited for
    if _locked = (select count(*) from daybook.cursors c where c.kind = _lock_consumer.kind and c.name = _lock_consumer.name) then
      return _consumer;
    end if;
  end loop;
end
$$;

comment on function daybook._lock_consumer(text, text) is
  'Waits until nobody handles anything for a handler or route, keeps it so until the transaction ends, and returns it. Raises YD501.';
