-- Where the shard has not come as far as the message yet, the stream stays parked just behind it: to the shard, its messages
-- are those of a parked stream until it has passed them.
create or replace function daybook._go_on_behind(consumer daybook.consumers, parked daybook.parked_streams, "position" bigint) returns void
language plpgsql volatile
as $$
declare
  _through bigint := (
    select c.position from daybook.cursors c where c.kind = consumer.kind and c.name = consumer.name and c.shard = parked.shard);
  _next bigint := case when _through > _go_on_behind."position" then daybook._next_of_stream(
    consumer, parked.tenant_id, parked.stream_id, parked.position, _go_on_behind."position", _through) end;
begin
  if _next is null and _through >= _go_on_behind."position" then
    delete from daybook.parked_streams p
     where p.tenant_id = parked.tenant_id and p.kind = parked.kind and p.name = parked.name and p.stream_id = parked.stream_id;
  else
    update daybook.parked_streams p
       set position = coalesce(_next, _go_on_behind."position" + 1), attempts = 0, postponed = 0, retry_at = clock_timestamp(), waits_since = clock_timestamp()
     where p.tenant_id = parked.tenant_id and p.kind = parked.kind and p.name = parked.name and p.stream_id = parked.stream_id;
  end if;
end
$$;

comment on function daybook._go_on_behind(daybook.consumers, daybook.parked_streams, bigint) is
  'A parked stream is done up to a position: it waits for the message behind it, or is parked no longer if there is none up to where its shard is.';
