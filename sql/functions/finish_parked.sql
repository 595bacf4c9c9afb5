create or replace function daybook.finish_parked(
  kind text,
  name text,
  stream_id text,
  from_position bigint,
  to_position bigint,
  tenant_id text default null
) returns void
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  _tenant text := daybook._tenant(finish_parked.tenant_id);
  _consumer daybook.consumers;
  _parked daybook.parked_streams;
begin
  _parked := daybook._lock_parked(finish_parked.kind, finish_parked.name, finish_parked.stream_id, _tenant);
  select k.* into _consumer from daybook.consumers k where k.kind = finish_parked.kind and k.name = finish_parked.name;
  if _parked.position is distinct from from_position or _consumer.state is distinct from 'running' or to_position is null or to_position < from_position then
    perform daybook._stale_claim(finish_parked.kind, finish_parked.name, _parked.shard, from_position, _parked.position);
  end if;

  update daybook.dead_letters_log d
     set state = 'done', changed_at = now()
   where d.tenant_id = _tenant and d.kind = finish_parked.kind and d.name = finish_parked.name
     and d.stream_id = finish_parked.stream_id and d.position <= to_position and d.state in ('waiting', 'retrying');
  perform daybook._go_on_behind(_consumer, _parked, to_position);
end
$$;

comment on function daybook.finish_parked(text, text, text, bigint, bigint, text) is
  'Says that the messages of a parked stream are done from its position up to another, in the transaction of their effects. The stream is parked no longer once it has caught up with its shard. Raises YD503, and moves nothing, where it is not parked at from_position.';
