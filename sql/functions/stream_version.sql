create or replace function daybook.stream_version(stream_id text, tenant_id text default null) returns bigint
language plpgsql stable
set enable_seqscan = off
set jit = off
as $$
declare
  _tenant text := daybook._tenant(stream_version.tenant_id);
begin
  return coalesce((select h.version from daybook.stream_heads h where h.tenant_id = _tenant and h.stream_id = stream_version.stream_id), 0);
end
$$;

comment on function daybook.stream_version(text, text) is 'Version of a stream: that of its last event, 0 where there is none.';
