create or replace function daybook.finish_batch(
  kind text,
  name text,
  shard integer,
  from_position bigint,
  to_position bigint,
  event_id uuid default null,
  handled integer default null
) returns void
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  _position bigint;
begin
  if to_position is null or from_position is null or to_position < from_position then
    raise exception using
      errcode = 'YD108',
      message = 'a batch ends at or behind the position it began at',
      detail = jsonb_build_object('from_position', from_position, 'to_position', to_position),
      hint = 'Pass the position that claim_consumer gave, and that of the last message done, or the horizon.';
  end if;

  select c.position into _position
    from daybook.cursors c
   where c.kind = finish_batch.kind and c.name = finish_batch.name and c.shard = finish_batch.shard
     for update;
  if _position is distinct from from_position or not exists (
       select from daybook.consumers k where k.kind = finish_batch.kind and k.name = finish_batch.name and k.state = 'running') then
    perform daybook._stale_claim(finish_batch.kind, finish_batch.name, finish_batch.shard, from_position, _position);
  end if;
  perform daybook._consumer_ahead(finish_batch.kind, finish_batch.name, to_position);

  update daybook.cursors c
     set position = to_position,
         event_id = coalesce(finish_batch.event_id, c.event_id),
         attempts = case when to_position >= coalesce(c.failed_position, to_position) then 0 else c.attempts end,
         retry_at = case when to_position >= coalesce(c.failed_position, to_position) then null else c.retry_at end,
         last_error = case when to_position >= coalesce(c.failed_position, to_position) then null else c.last_error end,
         failed_position = case when to_position >= coalesce(c.failed_position, to_position) then null else c.failed_position end,
         postponed = 0,
         moved_at = clock_timestamp()
   where c.kind = finish_batch.kind and c.name = finish_batch.name and c.shard = finish_batch.shard;
  if finish_batch.kind = 'projection' and finish_batch.handled > 0 then
    -- the batch began with its transaction, in which it was claimed
    perform daybook._count_handled(v, finish_batch.handled, now())
       from daybook.projection_versions v
      where v.consumer = finish_batch.name and v.stage <> 'retired';
  end if;
end
$$;

comment on function daybook.finish_batch(text, text, integer, bigint, bigint, uuid, integer) is
  'Moves a shard in the transaction of the effects, from the position it was claimed at to that of the last message done (or the horizon, if there was nothing more). handled: how many events a projection was given, for its rate. Raises YD503, and moves nothing, where it is no longer there or not running.';
