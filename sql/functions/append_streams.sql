create or replace function daybook.append_streams(
  appends jsonb,
  tenant_id text default null
) returns table (stream_id text, stream_version bigint, first_position bigint, last_position bigint, duplicate boolean)
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  _tenant text := daybook._tenant(append_streams.tenant_id);
  _entry record;
  _heads daybook.stream_heads[];
  _results daybook.append_result[];
  _conflicts jsonb := '[]';
  _written record;
  _watched daybook.event[];
begin
  perform daybook._check_streams(appends, _tenant);
  perform daybook._register_append();

  -- every lock before the first position, in one order for everybody
  for _entry in
    select a.value as entry, a.ordinality as i, coalesce(nullif(a.value -> 'events', 'null'), '[]') as events, (a.value ->> 'expected_version')::bigint as expected
      from jsonb_array_elements(appends) with ordinality a
     order by a.value ->> 'stream_id' collate "C"
  loop
    _heads[_entry.i] := daybook._lock_stream(_tenant, _entry.entry ->> 'stream_id');
    if jsonb_array_length(_entry.events) > 0 then
      _results[_entry.i] := daybook._earlier_result(_heads[_entry.i], _entry.events, _entry.expected, _entry.entry ->> 'idempotency_key');
    end if;
    if (_results[_entry.i]).duplicate is null and not daybook._version_matches(_entry.expected, (_heads[_entry.i]).version) then
      _conflicts := _conflicts || daybook._conflict(_heads[_entry.i], _entry.expected);
    end if;
  end loop;
  if _conflicts <> '[]' then
    perform daybook._raise_conflicts(_conflicts);
  end if;

  for _entry in
    select a.ordinality as i, coalesce(nullif(a.value -> 'events', 'null'), '[]') as events, a.value ->> 'idempotency_key' as key
      from jsonb_array_elements(appends) with ordinality a
     order by a.ordinality
  loop
    if (_results[_entry.i]).duplicate is null and jsonb_array_length(_entry.events) > 0 then
      _written := daybook._write_events(_heads[_entry.i], _entry.events, _entry.key);
      _results[_entry.i] := _written.result;
      _watched := _watched || _written.watched;
    end if;
    stream_id := (_heads[_entry.i]).stream_id;
    stream_version := coalesce((_results[_entry.i]).stream_version, (_heads[_entry.i]).version);
    first_position := (_results[_entry.i]).first_position;
    last_position := (_results[_entry.i]).last_position;
    duplicate := coalesce((_results[_entry.i]).duplicate, false);
    return next;
  end loop;
  -- once for all of them: a projection touches shared rows in one order
  if _watched is not null then
    perform daybook._on_append(_watched);
  end if;
end
$$;

comment on function daybook.append_streams(jsonb, text) is
  'Appends to several streams, all or nothing: [{"stream_id", "events"?, "expected_version"?, "idempotency_key"?}, …], each stream once. An entry without events is a version check alone. Every failing check is reported (YD001). One row an entry, in the order given; positions are null where nothing was written.';
