create or replace view daybook.parked with (security_invoker = true) as
select p.kind, p.name, p.tenant_id, p.stream_id, p.position, p.attempts, p.postponed, p.retry_at, p.error, p.parked_at,
       p.retry_at is null as needs_person
  from daybook.parked_streams p
 order by p.kind, p.name, p.parked_at;

comment on view daybook.parked is 'Streams that wait, for one handler or route, because one of their messages failed.';
comment on column daybook.parked.kind is 'handler or route.';
comment on column daybook.parked.name is 'Name of the handler or route.';
comment on column daybook.parked.tenant_id is 'Tenant of the stream.';
comment on column daybook.parked.stream_id is 'The stream; of a message that was put into the outbox directly: its key.';
comment on column daybook.parked."position" is 'All of the stream that lies before is done: usually the message that failed.';
comment on column daybook.parked.attempts is 'Failed tries of that message.';
comment on column daybook.parked.postponed is 'How often in a row it had to wait because the other side took nothing; no try was used up by that.';
comment on column daybook.parked.retry_at is 'When it is tried again; null = its tries are used up.';
comment on column daybook.parked.error is 'The last failure: {code, name, message, stack, position, event_id, at}.';
comment on column daybook.parked.parked_at is 'Since when the stream waits.';
comment on column daybook.parked.needs_person is 'Whether it goes on only when a person retries or discards its dead letter.';
