create or replace function daybook.postpone(
  kind text,
  name text,
  shard integer,
  at_position bigint,
  error jsonb
) returns text
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  _cursor daybook.cursors;
  _consumer daybook.consumers;
  _retry_at timestamptz;
begin
  select c.* into _cursor
    from daybook.cursors c
   where c.kind = postpone.kind and c.name = postpone.name and c.shard = postpone.shard
     for update;
  select k.* into _consumer from daybook.consumers k where k.kind = postpone.kind and k.name = postpone.name;
  if not found or _cursor.position is distinct from at_position then
    return 'stale';
  end if;

  _retry_at := daybook._retry_at(_consumer.base_delay, _consumer.max_delay, _cursor.postponed + 1, postpone.error);
  update daybook.cursors c
     set postponed = c.postponed + 1, retry_at = _retry_at, last_error = jsonb_strip_nulls(daybook._error(postpone.error, null, null))
   where c.kind = postpone.kind and c.name = postpone.name and c.shard = postpone.shard;
  update daybook.parked_streams p
     set retry_at = _retry_at, waits_since = clock_timestamp()
   where p.kind = postpone.kind and p.name = postpone.name and p.shard = postpone.shard and p.retry_at < _retry_at;
  return 'retry';
end
$$;

comment on function daybook.postpone(text, text, integer, bigint, jsonb) is
  'Has a shard wait, and its parked streams with it, with growing delays, because what it sends to takes nothing now: no message is at fault, so no try is used up and nothing is parked. Returns retry, or stale (the shard is not at at_position: nothing was written).';
