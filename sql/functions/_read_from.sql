create or replace function daybook._read_from(after_position bigint) returns timestamptz
language sql stable security definer
set search_path = pg_catalog, pg_temp
as $$
  select coalesce(min(p.range_from), 'infinity')
    from daybook.event_partitions p
   where p.last_position is null or p.last_position > after_position
$$;

comment on function daybook._read_from(bigint) is 'No event behind a position was recorded before this moment: sealed partitions that end before the position need not be read.';
