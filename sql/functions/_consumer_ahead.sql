create or replace function daybook._consumer_ahead(kind text, name text, "position" bigint) returns void
language plpgsql stable
as $$
declare
  _last bigint := coalesce(pg_sequence_last_value('daybook.positions'::regclass), 0);
begin
  if _consumer_ahead."position" > _last then
    raise exception using
      errcode = 'YD403',
      message = format('%s %s is at position %s, beyond the end of the log, %s', _consumer_ahead.kind, quote_literal(_consumer_ahead.name),
                       _consumer_ahead."position", _last),
      detail = jsonb_build_object('kind', _consumer_ahead.kind, 'name', _consumer_ahead.name, 'position', _consumer_ahead."position", 'last_position', _last),
      hint = 'The log has lost its end, by a failover or an old backup. Find out what was handled beyond it, then reset the consumer.';
  end if;
end
$$;

comment on function daybook._consumer_ahead(text, text, bigint) is 'Refuses a position beyond the end of the log: YD403.';
