create or replace function daybook.forget_snapshots(
  reducer text default null,
  stream_id text default null,
  tenant_id text default null
) returns bigint
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  _tenants text[] := case when forget_snapshots.tenant_id is null then daybook.visible_tenants() else array[daybook._tenant(forget_snapshots.tenant_id)] end;
  _count bigint;
begin
  delete from daybook.snapshots_log s
   where (forget_snapshots.reducer is null or s.reducer = forget_snapshots.reducer)
     and (_tenants is null or s.tenant_id = any (_tenants))
     and (forget_snapshots.stream_id is null or (s.tenant_id, s.stream_key) in (
       select h.tenant_id, h.stream_key
         from daybook.stream_heads h
        where h.stream_id = forget_snapshots.stream_id and (_tenants is null or h.tenant_id = any (_tenants))));
  get diagnostics _count = row_count;
  if _count > 0 then
    perform daybook._audit('forget_snapshots', 'snapshots', jsonb_build_object(
      'reducer', forget_snapshots.reducer, 'stream_id', forget_snapshots.stream_id, 'tenant_id', forget_snapshots.tenant_id, 'forgotten', _count));
  end if;
  return _count;
end
$$;

comment on function daybook.forget_snapshots(text, text, text) is
  'Deletes snapshots, of one reducer, one stream, one tenant, or (null) of all that the session sees, and returns how many. Nothing is lost: the next fold begins at the first event.';
