-- Two statements, on purpose: the rows are read with a snapshot taken after the horizon, so all that lies below it is
-- either visible or will never be.
create or replace function daybook.read_all(
  after_position bigint default 0,
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
  _tenants text[] := case when read_all.tenant_id = '*' then daybook.visible_tenants() else array[daybook._tenant(read_all.tenant_id)] end;
  _horizon bigint := daybook.horizon();
  _from timestamptz := daybook._read_from(after_position);
begin
  perform daybook._check_count(max_count, after_position);
  if types is null and categories is null then
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

comment on function daybook.read_all(bigint, integer, text[], text[], text) is
  'Events of the whole store in order of position, behind a position and never past the horizon, so that a reader who goes on from the last one never skips an event. Filters by types and categories. tenant_id ''*'' = every tenant the session may see. Refused under REPEATABLE READ (YD402).';
