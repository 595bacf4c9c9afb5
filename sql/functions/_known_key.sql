create or replace function daybook._known_key(head daybook.stream_heads, idempotency_key text) returns daybook.idempotency_keys
language sql volatile
set enable_seqscan = off
set jit = off
as $$
  select k.*
    from daybook.idempotency_keys k
   where k.tenant_id = (head).tenant_id
     and k.stream_key = (head).stream_key
     and k.idempotency_key = _known_key.idempotency_key
     and k.created_at > clock_timestamp() - (select c.idempotency_retention from daybook.settings c)
$$;

comment on function daybook._known_key(daybook.stream_heads, text) is 'What is remembered of an idempotency key of a stream, if it is not too long ago; null = nothing.';
