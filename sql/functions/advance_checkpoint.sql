create or replace function daybook.advance_checkpoint(consumer text, "position" bigint) returns bigint
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  _last bigint := coalesce(pg_sequence_last_value('daybook.positions'::regclass), 0);
  _position bigint;
begin
  if consumer is null or length(consumer) not between 1 and 255 or "position" is null or "position" < 0 then
    raise exception using
      errcode = 'YD108',
      message = 'a checkpoint is a consumer named by 1 to 255 characters and a position from 0',
      detail = jsonb_build_object('consumer', consumer, 'position', "position"),
      hint = 'Pass the position of the last event the consumer is done with.';
  elsif "position" > _last then
    raise exception using
      errcode = 'YD403',
      message = format('position %s lies beyond the end of the log, %s', "position", _last),
      detail = jsonb_build_object('consumer', consumer, 'position', "position", 'last_position', _last),
      hint = 'Pass the position of an event that was read from this log.';
  end if;

  insert into daybook.checkpoints as c (consumer, position)
  values (advance_checkpoint.consumer, advance_checkpoint."position")
      on conflict on constraint checkpoints_pkey
      do update set position = greatest(c.position, excluded.position), updated_at = now()
  returning c.position into _position;
  return _position;
end
$$;

comment on function daybook.advance_checkpoint(text, bigint) is 'Moves a consumer''s checkpoint forward, in the transaction of its effects; never back. Returns where it is.';
