create or replace function daybook._dead_letter(
  kind text,
  name text,
  tenant_id text,
  stream_id text,
  "position" bigint,
  event_id uuid,
  type text,
  attempts integer,
  error jsonb,
  state text
) returns void
language plpgsql volatile
as $$
#variable_conflict use_column
begin
  insert into daybook.dead_letters_log as d (tenant_id, kind, name, stream_id, position, event_id, type, attempts, error, state)
  values (_dead_letter.tenant_id, _dead_letter.kind, _dead_letter.name, _dead_letter.stream_id, _dead_letter."position", _dead_letter.event_id,
          _dead_letter.type, _dead_letter.attempts, _dead_letter.error, _dead_letter.state)
      on conflict (tenant_id, kind, name, position) where state in ('waiting', 'retrying')
      do update set attempts = d.attempts + excluded.attempts, error = excluded.error, state = excluded.state, changed_at = now();
end
$$;

comment on function daybook._dead_letter(text, text, text, text, bigint, uuid, text, integer, jsonb, text) is
  'Writes down a message that has used up its tries; one that a person had retried waits again.';
