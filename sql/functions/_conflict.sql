create or replace function daybook._conflict(head daybook.stream_heads, expected_version bigint) returns jsonb
language sql immutable parallel safe
return jsonb_build_object('tenant_id', head.tenant_id, 'stream_id', head.stream_id, 'expected', expected_version, 'actual', head.version);

comment on function daybook._conflict(daybook.stream_heads, bigint) is 'One failed version check, as _raise_conflicts takes it.';
