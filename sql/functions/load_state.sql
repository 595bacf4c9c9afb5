-- A hundred events in a statement: calling the function in a statement of its own takes twice as long, and the reducer is
-- known by name only.
create or replace function daybook.load_state(
  stream_id text,
  reducer text,
  initial jsonb default null,
  at_version bigint default null,
  at_time timestamptz default null,
  tenant_id text default null
) returns table (state jsonb, version bigint, snapshot_version bigint, events_folded bigint)
language plpgsql stable
set enable_seqscan = off
set jit = off
as $$
declare
  _tenant text := daybook._tenant(load_state.tenant_id);
  _reducer daybook.reducer_definitions := daybook._find_reducer(reducer);
  _head daybook.stream_heads := daybook._fold_target(load_state.stream_id, at_version, at_time, _tenant);
  _call text := format(
    'with recursive steps (step, state) as (
       select 0, $1
       union all
       select s.step + 1, %s(s.state, $2[s.step + 1]) from steps s where s.step < $3 and s.state is not null)
     select s.state from steps s where s.step = $3', _reducer.function);
  _events daybook.event[];
begin
  if _reducer.name is not null and coalesce(initial, _reducer.initial) = _reducer.initial then
    select s.version, s.state into snapshot_version, state
      from daybook.snapshots_log s
     where s.tenant_id = _tenant and s.stream_key = _head.stream_key
       and s.source = 'sql' and s.reducer = _reducer.name and s.reducer_version = _reducer.version
       and s.taken_at >= _reducer.created_at and s.version <= _head.version
     order by s.version desc
     limit 1;
  end if;
  version := coalesce(snapshot_version, 0);
  state := coalesce(state, initial, _reducer.initial);

  while version < _head.version loop
    _events := array(
      select e
        from daybook.read_stream(load_state.stream_id, version + 1, least(100, _head.version - version)::integer, tenant_id => _tenant) e);
    if _events[1].version is distinct from version + 1 then
      raise exception using
        errcode = 'YD613',
        message = format('stream %s has no event at version %s', load_state.stream_id, version + 1),
        detail = jsonb_build_object('tenant_id', _tenant, 'stream_id', load_state.stream_id, 'version', version + 1, 'stream_version', _head.version),
        hint = 'What is not there any more can be folded from a snapshot taken before it went.';
    end if;
    declare
      _state jsonb;
    begin
      execute _call into _state using state, _events, cardinality(_events);
      state := coalesce(_state, daybook._fold_each(_reducer, state, _events));
    exception
      when transaction_rollback or operator_intervention or insufficient_resources or system_error or sqlstate 'YD612' then
        raise;
      when others or assert_failure then
        state := daybook._fold_each(_reducer, state, _events);
    end;
    version := version + cardinality(_events);
  end loop;
  events_folded := version - coalesce(snapshot_version, 0);
  return next;
end
$$;

comment on function daybook.load_state(text, text, jsonb, bigint, timestamptz, text) is
  'State of a stream as a reducer (its name, or schema.function) folds it, the version it is of, the snapshot it was folded from (null = none) and how many events were folded. Of now, of a version, or as of what was recorded up to a moment. Runs with the rights of the caller. initial: state of a stream without events; the reducer''s own, or {}, if null. Raises YD610, YD611, YD612 and YD613.';
