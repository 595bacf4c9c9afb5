-- recorded_at never runs backwards within a stream: what was recorded up to a moment is what comes before a version.
create or replace function daybook._fold_target(
  stream_id text,
  at_version bigint,
  at_time timestamptz,
  tenant_id text
) returns daybook.stream_heads
language plpgsql stable
as $$
declare
  _head daybook.stream_heads;
begin
  if at_version < 0 then
    perform daybook._check_count(1, at_version);
  end if;
  -- as horizon does: notice partitions attached since this transaction opened the log
  perform pg_relation_is_updatable('daybook.every_tenant'::regclass, false);
  select h.* into _head from daybook.stream_heads h where h.tenant_id = _fold_target.tenant_id and h.stream_id = _fold_target.stream_id;
  _head.version := coalesce(_head.version, 0);
  if at_version > _head.version then
    raise exception using
      errcode = 'YD613',
      message = format('stream %s is at version %s and has no version %s', stream_id, _head.version, at_version),
      detail = jsonb_build_object('tenant_id', tenant_id, 'stream_id', stream_id, 'version', at_version, 'stream_version', _head.version),
      hint = 'Leave the version out for the state as of now.';
  end if;
  if at_time is not null then
    _head.version := coalesce((
      select l.version
        from daybook.event_log l
       where l.stream_key = _head.stream_key
         and l.version <= _head.version
         and l.recorded_at between _head.first_recorded_at and least(at_time, _head.last_recorded_at)
       order by l.version desc
       limit 1), 0);
  end if;
  _head.version := least(_head.version, at_version);
  return _head;
end
$$;

comment on function daybook._fold_target(text, bigint, timestamptz, text) is
  'The row of a stream, with the version it is to be folded to: its own, the one asked for, or the last that was recorded up to a moment. Raises YD613 where there is no such version.';
