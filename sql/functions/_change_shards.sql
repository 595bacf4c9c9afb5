-- Each shard that has come as far as the farthest waits there (see claim_consumer), so all of them come to one position.
create or replace function daybook._change_shards(kind text, name text) returns boolean
language plpgsql volatile
as $$
declare
  _consumer daybook.consumers;
  _locked bigint;
  _least daybook.cursors;
  _most bigint;
begin
  select count(*) into _locked
    from (select from daybook.cursors c where c.kind = _change_shards.kind and c.name = _change_shards.name for update skip locked) l;
  select k.* into _consumer from daybook.consumers k where k.kind = _change_shards.kind and k.name = _change_shards.name for update;
  select c.* into _least
    from daybook.cursors c
   where c.kind = _change_shards.kind and c.name = _change_shards.name
   order by c.position, c.shard
   limit 1;
  _most := (select max(c.position) from daybook.cursors c where c.kind = _change_shards.kind and c.name = _change_shards.name);
  if _locked is distinct from _consumer.shard_count or _least.position is distinct from _most or _consumer.wanted_shards = _consumer.shard_count then
    return false;
  end if;

  delete from daybook.cursors c where c.kind = _change_shards.kind and c.name = _change_shards.name and c.shard >= _consumer.wanted_shards;
  update daybook.cursors c set attempts = 0, postponed = 0, failed_position = null, retry_at = null
   where c.kind = _change_shards.kind and c.name = _change_shards.name;
  insert into daybook.cursors (kind, name, shard, position, event_id)
  select _change_shards.kind, _change_shards.name, s, _most, _least.event_id
    from generate_series(_consumer.shard_count, _consumer.wanted_shards - 1) s;
  update daybook.parked_streams p
     set shard = case when p.stream_key is null then daybook._shard(p.stream_id, _consumer.wanted_shards)
                 else daybook._key_shard(p.stream_key, _consumer.wanted_shards) end
   where p.kind = _change_shards.kind and p.name = _change_shards.name;
  update daybook.consumers k set shard_count = k.wanted_shards, changed_at = now()
   where k.kind = _change_shards.kind and k.name = _change_shards.name;
  return true;
end
$$;

comment on function daybook._change_shards(text, text) is
  'Gives a consumer the number of shards that is wanted, if all of its shards are at one position and nobody holds one; returns whether it did.';
