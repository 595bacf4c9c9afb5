create or replace view daybook.outbox with (security_invoker = true) as
select l.route, l.position, l.tenant_id, l.stream_id, l.version, l.message_id, l.topic, l.type, l.type_version, l.data,
       coalesce(l.metadata, '{}') as metadata, l.correlation_id, l.causation_id, l.occurred_at, l.written_at,
       case
         when l.position >= p.position then 'parked'
         when l.position = s.position and s.token is not null then 'leased'
         when l.position >= s.position then 'behind a lease'
         else 'waiting'
       end as state
  from (
    select l.*
      from daybook.consumers c
      join daybook.cursors k on k.kind = c.kind and k.name = c.name
      join daybook.outbox_log l on l.route = c.name and l.position > k.position
     where c.kind = 'route' and (c.shard_count = 1 or daybook._shard(l.stream_id, c.shard_count) = k.shard)
    union all
    select l.*
      from daybook.parked_streams p
      join daybook.cursors k on k.kind = p.kind and k.name = p.name and k.shard = p.shard
      join daybook.outbox_log l
        on l.tenant_id = p.tenant_id and l.stream_id = p.stream_id and l.route = p.name and l.position between p.position and k.position
     where p.kind = 'route'
    union all
    select l.*
      from daybook.outbox_leases s
      join daybook.cursors k on k.kind = 'route' and k.name = s.route and k.shard = 0
      join daybook.outbox_log l
        on l.tenant_id = s.tenant_id and l.stream_id = s.stream_id and l.route = s.route and l.position between s.position and k.position) l
  left join daybook.parked_streams p on p.tenant_id = l.tenant_id and p.kind = 'route' and p.name = l.route and p.stream_id = l.stream_id
  left join daybook.outbox_leases s on s.tenant_id = l.tenant_id and s.route = l.route and s.stream_id = l.stream_id;

comment on view daybook.outbox is 'Messages that are not delivered yet, a row for each route. Delivered ones stay in outbox_log for settings.outbox_retention.';
comment on column daybook.outbox.route is 'Route it goes by.';
comment on column daybook.outbox."position" is 'That of the event; of a message put in directly: its own, drawn from the same sequence.';
comment on column daybook.outbox.tenant_id is 'Tenant of the message.';
comment on column daybook.outbox.stream_id is 'The stream of the event, or the key of the message: what is kept in order.';
comment on column daybook.outbox.version is 'Version of the event in its stream; null for a message put in directly.';
comment on column daybook.outbox.message_id is 'Stable identity, the same for every delivery: that of the event, or one made for the message.';
comment on column daybook.outbox.topic is 'Where it goes within the transport.';
comment on column daybook.outbox.type is 'Public name.';
comment on column daybook.outbox.type_version is 'Version of the public shape.';
comment on column daybook.outbox.data is 'Public payload.';
comment on column daybook.outbox.metadata is 'What goes along with it; {} if nothing.';
comment on column daybook.outbox.correlation_id is 'The logical operation it belongs to.';
comment on column daybook.outbox.causation_id is 'What triggered it.';
comment on column daybook.outbox.occurred_at is 'When it happened.';
comment on column daybook.outbox.written_at is 'When it was put into the outbox.';
comment on column daybook.outbox.state is 'waiting (for its turn), parked (its stream waits for a retry or a person), leased (somebody has received it), behind a lease (waits for an earlier one of its stream).';
