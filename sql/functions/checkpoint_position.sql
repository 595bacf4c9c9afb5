create or replace function daybook.checkpoint_position(consumer text) returns bigint
language plpgsql stable security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  _position bigint := coalesce((select c.position from daybook.checkpoints c where c.consumer = checkpoint_position.consumer), 0);
begin
  if _position > coalesce(pg_sequence_last_value('daybook.positions'::regclass), 0) then
    raise exception using
      errcode = 'YD403',
      message = format('consumer %s is at position %s, beyond the end of the log', quote_literal(consumer), _position),
      detail = jsonb_build_object('consumer', consumer, 'position', _position, 'last_position', pg_sequence_last_value('daybook.positions'::regclass)),
      hint = 'The log has lost its end, by a failover or an old backup. Find out what the consumer saw beyond it, then set its checkpoint by hand.';
  end if;
  return _position;
end
$$;

comment on function daybook.checkpoint_position(text) is 'Position of the last event a consumer of the log is done with, 0 = none.';
