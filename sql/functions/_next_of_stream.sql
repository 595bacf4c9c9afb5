create or replace function daybook._next_of_stream(
  consumer daybook.consumers,
  tenant_id text,
  stream_id text,
  from_position bigint,
  after_position bigint,
  through bigint
) returns bigint
language plpgsql stable
as $$
declare
  _head daybook.stream_heads;
begin
  if consumer.kind = 'route' then
    return (
      select o.position
        from daybook.outbox_log o
       where o.tenant_id = _next_of_stream.tenant_id and o.stream_id = _next_of_stream.stream_id and o.route = consumer.name
         and o.position > after_position and o.position <= through
       order by o.position
       limit 1);
  end if;

  select h.* into _head from daybook.stream_heads h where h.tenant_id = _next_of_stream.tenant_id and h.stream_id = _next_of_stream.stream_id;
  return (
    select l.position
      from daybook.event_log l
     where l.stream_key = _head.stream_key
       and l.version >= coalesce(daybook._version_at(_head, from_position), 1)
       and l.recorded_at between _head.first_recorded_at and _head.last_recorded_at
       and l.position > after_position and l.position <= through
       and (consumer.types is null or l.type = any (consumer.types))
       and (consumer.categories is null or l.category = any (consumer.categories))
     order by l.version
     limit 1);
end
$$;

comment on function daybook._next_of_stream(daybook.consumers, text, text, bigint, bigint, bigint) is
  'Position of the next message that a parked stream has for a consumer, behind after_position and up to through; null if there is none. from_position: one of the stream from which it is looked for.';
