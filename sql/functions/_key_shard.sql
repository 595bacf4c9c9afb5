create or replace function daybook._key_shard(stream_key bigint, shard_count integer) returns integer
language sql immutable parallel safe
as $$
  select (hashint8(stream_key) & 2147483647) % shard_count
$$;

comment on function daybook._key_shard(bigint, integer) is
  'Which shard of a handler a stream belongs to, by its key, which is at hand in the log. A hash, as keys may follow a pattern; that of hash partitions, so it stays as it is.';
