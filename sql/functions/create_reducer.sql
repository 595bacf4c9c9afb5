create or replace function daybook.create_reducer(
  name text,
  function text,
  version integer default 1,
  snapshot_every integer default null,
  initial jsonb default '{}',
  keep_snapshots integer default 3,
  categories text[] default null
) returns boolean
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  _function text := daybook._check_reducer(name, function, version, snapshot_every, initial, keep_snapshots, categories);
  _there daybook.reducer_definitions;
  _differs text[];
begin
  insert into daybook.reducer_definitions as r (name, function, version, initial, snapshot_every, keep_snapshots, categories, created_at)
  values (create_reducer.name, _function, create_reducer.version, create_reducer.initial, create_reducer.snapshot_every,
          create_reducer.keep_snapshots, create_reducer.categories, clock_timestamp())
      on conflict on constraint reducer_definitions_pkey do nothing;
  if found then
    perform daybook._audit('create_reducer', 'reducer ' || name, jsonb_build_object('function', _function, 'version', version));
    return true;
  end if;

  select r.* into _there from daybook.reducer_definitions r where r.name = create_reducer.name for no key update;
  if version < _there.version then
    return false;
  end if;
  _differs := array_remove(array[
    case when _there.function <> _function then 'function' end,
    case when _there.initial <> create_reducer.initial then 'initial' end], null);
  if version = _there.version and cardinality(_differs) > 0 then
    raise exception using
      errcode = 'YD614',
      message = format('reducer %s is there in version %s with another %s', quote_ident(name), version, replace(array_to_string(_differs, ' and another '), 'initial', 'initial state')),
      detail = jsonb_build_object('reducer', name, 'version', version, 'differs', _differs),
      hint = format('Its snapshots are of that logic. Give the new one a version of its own: version => %s', version + 1);
  end if;

  update daybook.reducer_definitions r
     set function = _function, version = create_reducer.version, initial = create_reducer.initial, snapshot_every = create_reducer.snapshot_every,
         keep_snapshots = create_reducer.keep_snapshots, categories = create_reducer.categories, changed_at = now()
   where r.name = create_reducer.name
     and (r.function, r.version, r.initial, r.snapshot_every, r.keep_snapshots, r.categories)
         is distinct from (_function, create_reducer.version, create_reducer.initial, create_reducer.snapshot_every,
                           create_reducer.keep_snapshots, create_reducer.categories);
  if found then
    perform daybook._audit('create_reducer', 'reducer ' || name, jsonb_build_object('function', _function, 'version', version));
  end if;
  return false;
end
$$;

comment on function daybook.create_reducer(text, text, integer, integer, jsonb, integer, text[]) is
  'Makes a reducer: a name and a version for function(state jsonb, event daybook.event) returns jsonb, which fold calls with the rights of its caller. snapshot_every: take_snapshots saves the state of streams (of these categories; null = all) so many events behind their last snapshot; the newest keep_snapshots are kept. A higher version takes the place of a lower one, whose snapshots are not used any more; a lower one changes nothing. A function whose logic has changed needs a higher version. Returns whether it was made. Raises YD611 and YD614.';
