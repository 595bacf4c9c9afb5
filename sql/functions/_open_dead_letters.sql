create or replace function daybook._open_dead_letters(kind text, name text, type text, stream_id text) returns setof daybook.dead_letters_log
language plpgsql stable
as $$
declare
  _visible text[] := daybook.visible_tenants();
begin
  return query
    select d.*
      from daybook.dead_letters_log d
     where d.state in ('waiting', 'retrying')
       and (_visible is null or d.tenant_id = any (_visible))
       and (_open_dead_letters.kind is null or d.kind = _open_dead_letters.kind)
       and (_open_dead_letters.name is null or d.name = _open_dead_letters.name)
       and (_open_dead_letters.type is null or d.type = _open_dead_letters.type)
       and (_open_dead_letters.stream_id is null or d.stream_id = _open_dead_letters.stream_id)
     order by d.kind, d.name, d.position, d.tenant_id;
end
$$;

comment on function daybook._open_dead_letters(text, text, text, text) is
  'Dead letters that wait for a person or are being retried, of the tenants that the session may see; null = of every kind, name, type, stream.';
