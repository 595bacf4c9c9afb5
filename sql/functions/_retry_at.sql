create or replace function daybook._retry_at(base_delay interval, max_delay interval, attempts integer, error jsonb) returns timestamptz
language sql volatile
as $$
  select clock_timestamp() + greatest(
    least(base_delay * power(2, least(attempts, 31) - 1), max_delay) * (0.8 + 0.4 * random()),
    case when error ->> 'retry_after' ~ '^[0-9]{1,10}$' then interval '1 millisecond' * (error ->> 'retry_after')::bigint end)
$$;

comment on function daybook._retry_at(interval, interval, integer, jsonb) is
  'When a message that failed so often is tried again: exponential backoff, give or take a fifth, and not before error.retry_after milliseconds have passed.';
