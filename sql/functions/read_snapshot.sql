create or replace function daybook.read_snapshot(
  stream_id text,
  reducer text,
  reducer_version integer,
  at_version bigint default null,
  at_time timestamptz default null,
  tenant_id text default null
) returns table (fold_to bigint, version bigint, state jsonb, may_save boolean)
language plpgsql stable
set enable_seqscan = off
set jit = off
as $$
declare
  _tenant text := daybook._tenant(read_snapshot.tenant_id);
  _head daybook.stream_heads := daybook._fold_target(read_snapshot.stream_id, at_version, at_time, _tenant);
begin
  select s.version, s.state into version, state
    from daybook.snapshots_log s
   where s.tenant_id = _tenant and s.stream_key = _head.stream_key
     and s.source = 'client' and s.reducer = read_snapshot.reducer and s.reducer_version = read_snapshot.reducer_version
     and s.version <= _head.version
   order by s.version desc
   limit 1;
  fold_to := _head.version;
  may_save := has_function_privilege('daybook.save_snapshot(text, text, integer, bigint, jsonb, text, integer, text)', 'execute');
  return next;
end
$$;

comment on function daybook.read_snapshot(text, text, integer, bigint, timestamptz, text) is
  'For applications that fold with code of their own: the version to fold a stream to, and its latest snapshot of that reducer and version at or before it (null = begin at the first event). may_save: whether the caller may save_snapshot. Raises YD613.';
