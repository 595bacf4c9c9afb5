create or replace view daybook.dead_letters with (security_invoker = true) as
select d.dead_letter, d.kind, d.name, d.tenant_id, d.stream_id, d.position, d.event_id, d.type, d.attempts, d.error, d.state, d.state_reason,
       d.created_at, d.changed_at
  from daybook.dead_letters_log d
 order by d.dead_letter;

comment on view daybook.dead_letters is 'Messages that used up their tries. Open are those in state waiting or retrying: retry_dead_letter(dead_letter), discard_dead_letter(dead_letter, reason).';
comment on column daybook.dead_letters.dead_letter is 'Its number.';
comment on column daybook.dead_letters.kind is 'handler or route.';
comment on column daybook.dead_letters.name is 'Name of the handler or route it failed in.';
comment on column daybook.dead_letters.tenant_id is 'Tenant of the message.';
comment on column daybook.dead_letters.stream_id is 'Its stream, or its key.';
comment on column daybook.dead_letters."position" is 'Its position.';
comment on column daybook.dead_letters.event_id is 'Id of the event or message.';
comment on column daybook.dead_letters.type is 'Its type.';
comment on column daybook.dead_letters.attempts is 'How often it failed.';
comment on column daybook.dead_letters.error is 'Its last failure: {code, name, message, stack, position, event_id, at}.';
comment on column daybook.dead_letters.state is 'waiting (for a person; its stream waits too), retrying (a person said so), done (a later try succeeded), discarded (by a person), skipped (the consumer went on without it).';
comment on column daybook.dead_letters.state_reason is 'What the person said.';
comment on column daybook.dead_letters.created_at is 'When it used up its tries.';
comment on column daybook.dead_letters.changed_at is 'When its state last changed.';
