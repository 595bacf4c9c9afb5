create or replace function daybook._shard(stream_id text, shard_count integer) returns integer
language sql immutable parallel safe
as $$
  select case when shard_count = 1 then 0
  else ('x' || encode(substr(sha256(convert_to(stream_id, 'UTF8')), 1, 3), 'hex'))::bit(24)::integer % shard_count end
$$;

comment on function daybook._shard(text, integer) is
  'Which shard of a route a stream belongs to, by its name: the same for ever and on every machine. Shards of handlers go by _key_shard.';
