create or replace function daybook._is_timestamp(value text) returns boolean
language plpgsql immutable parallel safe
as $$
begin
  return value ~ '^[0-9]{4,6}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}(:[0-9]{2}([.][0-9]+)?)?(Z|[+-][0-9]{2}(:?[0-9]{2}(:?[0-9]{2})?)?)( BC)?$' and value::timestamptz is not null;
exception when datetime_field_overflow or invalid_datetime_format or invalid_time_zone_displacement_value then
  return false;
end
$$;

comment on function daybook._is_timestamp(text) is 'Whether a text is an ISO 8601 moment with its offset from UTC (without one it would mean another moment in each session).';
