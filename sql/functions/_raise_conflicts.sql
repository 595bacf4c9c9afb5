create or replace function daybook._raise_conflicts(conflicts jsonb) returns void
language plpgsql immutable
as $$
declare
  _first jsonb := conflicts -> 0;
begin
  raise exception using
    errcode = 'YD001',
    message = format('stream %s is at version %s, not %s',
      _first ->> 'stream_id', _first ->> 'actual',
      case _first ->> 'expected' when '-1' then 'at any' else _first ->> 'expected' end)
      || case when jsonb_array_length(conflicts) > 1 then format(' (and %s more)', jsonb_array_length(conflicts) - 1) else '' end,
    detail = _first || jsonb_build_object('conflicts', conflicts),
    hint = 'Somebody appended in between: read the stream again, decide again, and append with the version read.';
end
$$;

comment on function daybook._raise_conflicts(jsonb) is 'Raises YD001 for the checks that failed: [{tenant_id, stream_id, expected, actual}, …].';
