-- A session that planned its appends while there were few streams would go through all of them for each, until PostgreSQL has
-- analyzed the table, and not before the end of a transaction that makes it grow. So plans are made anew while it is young.
create or replace function daybook._lock_stream(tenant_id text, stream_id text) returns daybook.stream_heads
language plpgsql volatile
as $$
declare
  _head daybook.stream_heads;
begin
  loop
    select h.* into _head
      from daybook.stream_heads h
     where h.tenant_id = _lock_stream.tenant_id and h.stream_id = _lock_stream.stream_id
       for no key update;
    exit when found;

    perform daybook._check_stream_id(_lock_stream.stream_id);
    insert into daybook.stream_heads as h (tenant_id, stream_id, version, first_recorded_at, last_recorded_at)
    values (_lock_stream.tenant_id, _lock_stream.stream_id, 0, clock_timestamp(), clock_timestamp())
        on conflict on constraint stream_heads_pkey do nothing
    returning h.* into _head;
    if _head.stream_key % 256 = 0 and _head.stream_key <= 8192 then
      discard plans;
    end if;
    exit when found;
  end loop;
  return _head;
end
$$;

comment on function daybook._lock_stream(text, text) is 'Locks the row of a stream until the transaction ends and returns it; a stream that is not there yet gets its row, at version 0.';
