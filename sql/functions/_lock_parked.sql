create or replace function daybook._lock_parked(kind text, name text, stream_id text, tenant_id text) returns daybook.parked_streams
language plpgsql volatile
as $$
declare
  _shard integer;
  _parked daybook.parked_streams;
begin
  loop
    select p.shard into _shard
      from daybook.parked_streams p
     where p.tenant_id = _lock_parked.tenant_id and p.kind = _lock_parked.kind and p.name = _lock_parked.name and p.stream_id = _lock_parked.stream_id;
    if not found then
      return null;
    end if;
    perform from daybook.cursors c where c.kind = _lock_parked.kind and c.name = _lock_parked.name and c.shard = _shard for update;
    select p.* into _parked
      from daybook.parked_streams p
     where p.tenant_id = _lock_parked.tenant_id and p.kind = _lock_parked.kind and p.name = _lock_parked.name and p.stream_id = _lock_parked.stream_id
       for update;
    if not found or _parked.shard = _shard then
      return _parked;
    end if;
  end loop;
end
$$;

comment on function daybook._lock_parked(text, text, text, text) is
  'Locks a parked stream with the cursor of its shard, as whoever drains or un-parks does, and returns it; null if it is not parked.';
