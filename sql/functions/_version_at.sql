create or replace function daybook._version_at(head daybook.stream_heads, "position" bigint) returns bigint
language sql stable
as $$
  select l.version
    from daybook.event_log l
   where l.position = _version_at."position" and l.stream_key = head.stream_key
     and l.recorded_at between head.first_recorded_at and head.last_recorded_at
$$;

comment on function daybook._version_at(daybook.stream_heads, bigint) is 'Version of the event of a stream at a position; null if there is none there.';
