create or replace function daybook._is_due(due_at timestamptz, since timestamptz) returns boolean
language sql volatile
return coalesce(due_at, '-infinity') <= clock_timestamp() or coalesce(since, '-infinity') > clock_timestamp();

comment on function daybook._is_due(timestamptz, timestamptz) is
  'Whether what waits has waited long enough: its moment has come (null = at once), or the moment since when it waits is still to come, so that the clock has gone back.';
