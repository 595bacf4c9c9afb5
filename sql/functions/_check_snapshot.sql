create or replace function daybook._check_snapshot(
  reducer text,
  reducer_version integer,
  version bigint,
  state jsonb,
  source text,
  keep integer
) returns void
language plpgsql immutable
as $$
declare
  _problem text[] := case
    when daybook._is_label(reducer) is not true then array['reducer', 'a reducer is named by 1 to 255 characters, none of them a control character']
    when (reducer_version > 0) is not true then array['reducer_version', 'the version of a reducer is a whole number from 1']
    when (version > 0) is not true then array['version', 'versions count from 1: there is nothing to save of an empty stream']
    when state is null then array['state', 'a state is a JSON value']
    when (source in ('sql', 'client')) is not true then array['source', 'source is sql or client']
    when (keep between 1 and 1000) is not true then array['keep', '1 to 1000 snapshots of a stream are kept']
  end;
begin
  if _problem is not null then
    raise exception using
      errcode = 'YD108',
      message = _problem[2],
      detail = jsonb_build_object('argument', _problem[1]),
      hint = 'select daybook.save_snapshot(stream_id, reducer, reducer_version, version, state)';
  end if;
end
$$;

comment on function daybook._check_snapshot(text, integer, bigint, jsonb, text, integer) is 'Refuses snapshots that cannot be: YD108.';
