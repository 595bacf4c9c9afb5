-- read_all finds the horizon out by itself, and may come to a lower one than whoever was woken by it; nobody would tell of
-- the rest. Here the reader says how far it knows the log to be settled.
create or replace function daybook.read_settled(
  after_position bigint,
  horizon bigint,
  max_count integer default 1000,
  types text[] default null,
  categories text[] default null,
  tenant_id text default null
) returns setof daybook.event
language plpgsql volatile
set enable_seqscan = off
set jit = off
set enable_bitmapscan = off
as $$
declare
  _tenants text[] := case when read_settled.tenant_id = '*' then daybook.visible_tenants() else array[daybook._tenant(read_settled.tenant_id)] end;
  _last bigint := coalesce(pg_sequence_last_value('daybook.positions'::regclass), 0);
  _horizon bigint := daybook._settled(horizon);
  _from timestamptz := daybook._read_from(after_position);
begin
  perform daybook._check_count(max_count, after_position);
  if after_position > _last then
    raise exception using
      errcode = 'YD403',
      message = format('position %s lies beyond the end of the log, %s', after_position, _last),
      detail = jsonb_build_object('position', after_position, 'last_position', _last),
      hint = 'The log was set back (restored, or failed over to a server that lagged behind), or it is another log. Begin again from a position where both agree.';
  elsif types is null and categories is null then
    return query
      select l.position, l.tenant_id,
             (select h.stream_id from daybook.stream_heads h where h.stream_key = l.stream_key and h.tenant_id = l.tenant_id),
             l.version, l.category, l.type, l.data, coalesce(l.metadata, '{}'), l.event_id, l.correlation_id, l.causation_id,
             l.schema_version, l.tags, coalesce(l.occurred_at, l.recorded_at), l.recorded_at
        from daybook.event_log l
       where l.position > after_position
         and l.position <= _horizon
         and l.recorded_at >= _from
         and (_tenants is null or l.tenant_id = any (_tenants))
       order by l.position
       limit max_count;
  else
    return query select e.* from daybook._read_filtered(after_position, max_count, types, categories, _tenants, _horizon, _from) e;
  end if;
end
$$;

comment on function daybook.read_settled(bigint, bigint, integer, text[], text[], text) is
  'read_all for whoever follows the log: behind a position, up to a horizon that was read before (horizon, pulse). Fewer than max_count: all up to that horizon has been given, and it is the next position to read behind. Raises YD403 where the position lies beyond the end of the log.';
