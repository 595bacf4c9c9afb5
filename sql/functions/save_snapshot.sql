-- A snapshot is worth no waiting: two transactions that save the same ones in another order would end in a deadlock.
-- The row of the reducer is locked so that a reducer dropped meanwhile leaves no snapshot for the next of its name.
create or replace function daybook.save_snapshot(
  stream_id text,
  reducer text,
  reducer_version integer,
  version bigint,
  state jsonb,
  source text default 'sql',
  keep integer default null,
  tenant_id text default null
) returns boolean
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
set enable_seqscan = off
set jit = off
set lock_timeout = '100ms'
as $$
declare
  _tenant text := daybook._tenant(save_snapshot.tenant_id);
  _head daybook.stream_heads;
  _keep integer := coalesce(keep, 3);
  _latest integer;
begin
  perform daybook._check_snapshot(reducer, reducer_version, version, state, source, _keep);
  if source = 'sql' then
    select coalesce(keep, r.keep_snapshots), r.version into _keep, _latest from daybook.reducer_definitions r where r.name = save_snapshot.reducer for key share;
    if not found then
      perform daybook._find_reducer(reducer);
      return false;
    elsif reducer_version > _latest then
      -- what its function is then, nobody knows
      return false;
    end if;
  end if;

  select h.* into _head from daybook.stream_heads h where h.tenant_id = _tenant and h.stream_id = save_snapshot.stream_id;
  if version > coalesce(_head.version, 0) then
    raise exception using
      errcode = 'YD613',
      message = format('stream %s is at version %s: there is no state of version %s', stream_id, coalesce(_head.version, 0), version),
      detail = jsonb_build_object('tenant_id', _tenant, 'stream_id', stream_id, 'version', version, 'stream_version', coalesce(_head.version, 0)),
      hint = 'Save the version that the state was folded to, as load_state gives it, once its events are committed or in the same transaction.';
  elsif _keep <= (
    select count(*)
      from daybook.snapshots_log s
     where s.tenant_id = _tenant and s.stream_key = _head.stream_key and s.source = save_snapshot.source and s.reducer = save_snapshot.reducer
       and s.reducer_version = save_snapshot.reducer_version and s.version > save_snapshot.version)
  then
    return false;
  end if;

  insert into daybook.snapshots_log as s (tenant_id, stream_key, source, reducer, reducer_version, version, state)
  values (_tenant, _head.stream_key, save_snapshot.source, save_snapshot.reducer, save_snapshot.reducer_version, save_snapshot.version, save_snapshot.state)
      on conflict on constraint snapshots_log_pkey do update set state = excluded.state, taken_at = excluded.taken_at;
  delete from daybook.snapshots_log s
   where s.ctid = any (array(
     select o.ctid
       from daybook.snapshots_log o
      where o.tenant_id = _tenant and o.stream_key = _head.stream_key and o.source = save_snapshot.source and o.reducer = save_snapshot.reducer
        and o.reducer_version = save_snapshot.reducer_version
      order by o.version desc
     offset _keep
        for update skip locked));
  return true;
exception when lock_not_available then
  return false;
end
$$;

comment on function daybook.save_snapshot(text, text, integer, bigint, jsonb, text, integer, text) is
  'Saves the state of a stream at a version, for later folds to go on from. source: sql = of a reducer made with create_reducer; client = of one in an application''s code. The newest are kept (keep; the reducer''s keep_snapshots, or 3, if null). Returns whether it was saved: not where as many newer ones are there, nor of a version that the reducer has not come to, nor where somebody is saving the same just now. Raises YD613 beyond the version of the stream, YD610 and YD108.';
