create or replace function daybook._version_matches(expected bigint, actual bigint) returns boolean
language sql immutable parallel safe
return case expected when -1 then actual > 0 else coalesce(expected = actual, true) end;

comment on function daybook._version_matches(bigint, bigint) is
  'Whether a stream at version actual is as expected: null = any, 0 = must not exist, n = exactly n, -1 = must exist.';
