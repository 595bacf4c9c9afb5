-- Reducers run with the rights of whoever calls this. Unnamed ones are somebody else's code, so only those that belong to
-- the owner of Daybook, a superuser or the caller are run.
create or replace function daybook.take_snapshots(
  reducer text default null,
  max_streams integer default 100
) returns table (reducer_name text, tenant_id text, stream_id text, version bigint, error jsonb)
language plpgsql volatile
as $$
declare
  _reducer daybook.reducer_definitions;
  _stream record;
  _loaded record;
  _taken integer := 0;
  _tenants text[] := daybook.visible_tenants();
begin
  perform daybook._check_count(max_streams);
  if reducer is not null then
    perform daybook._find_reducer(reducer);
  end if;
  for _reducer in
    select r.*
      from daybook.reducer_definitions r
     where r.snapshot_every is not null
       and case when reducer is null then daybook._is_trusted_reducer(r.function) else r.name = reducer end
     order by r.name
  loop
    for _stream in
      select h.tenant_id, h.stream_id
        from daybook.stream_heads h
       where h.version >= _reducer.snapshot_every
         and (_tenants is null or h.tenant_id = any (_tenants))
         and (_reducer.categories is null or split_part(h.stream_id, '-', 1) = any (_reducer.categories))
         and h.version - coalesce((
           select max(s.version)
             from daybook.snapshots_log s
            where s.tenant_id = h.tenant_id and s.stream_key = h.stream_key and s.source = 'sql'
              and s.reducer = _reducer.name and s.reducer_version = _reducer.version and s.taken_at >= _reducer.created_at), 0) >= _reducer.snapshot_every
       limit 2 * max_streams
    loop
      exit when _taken >= max_streams;
      reducer_name := _reducer.name;
      tenant_id := _stream.tenant_id;
      stream_id := _stream.stream_id;
      error := null;
      begin
        select l.* into _loaded from daybook.load_state(_stream.stream_id, _reducer.name, tenant_id => _stream.tenant_id) l;
        version := _loaded.version;
        continue when not daybook.save_snapshot(
          _stream.stream_id, _reducer.name, _reducer.version, _loaded.version, _loaded.state, tenant_id => _stream.tenant_id);
        -- saving has locked the reducer: is it still the one that folded?
        if not exists (select from daybook.reducer_definitions r where r.name = _reducer.name and (r.version, r.created_at) = (_reducer.version, _reducer.created_at)) then
          raise exception using errcode = 'YD614', message = format('reducer %s has changed meanwhile', quote_ident(_reducer.name));
        end if;
      exception when sqlstate 'YD610' or sqlstate 'YD611' or sqlstate 'YD612' or sqlstate 'YD613' or sqlstate 'YD614' then
        version := null;
        error := jsonb_build_object('code', sqlstate, 'message', sqlerrm);
      end;
      _taken := _taken + case when error is null then 1 else 0 end;
      return next;
    end loop;
  end loop;
end
$$;

comment on function daybook.take_snapshots(text, integer) is
  'Saves snapshots of up to max_streams streams that are snapshot_every events or more behind their last one, and returns them; error says where a reducer failed. For the reducer named, or (null) for all whose functions belong to the owner of Daybook, a superuser or the caller. upkeep does this too. Raises YD610.';
