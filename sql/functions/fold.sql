create or replace function daybook.fold(
  stream_id text,
  reducer text,
  initial jsonb default null,
  at_version bigint default null,
  at_time timestamptz default null,
  tenant_id text default null
) returns jsonb
language plpgsql stable
as $$
begin
  return (select l.state from daybook.load_state(stream_id, reducer, initial, at_version, at_time, tenant_id) l);
end
$$;

comment on function daybook.fold(text, text, jsonb, bigint, timestamptz, text) is
  'State of a stream: select daybook.fold(''account-42'', ''account''). The reducer is named, or is schema.function(state jsonb, event daybook.event) returns jsonb. Of now, of a version (at_version), or as of what was recorded up to a moment (at_time). See load_state.';
