create or replace function daybook.retry_dead_letters(
  kind text default null,
  name text default null,
  type text default null,
  stream_id text default null
) returns bigint
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  _count bigint := daybook._settle_dead_letters(
    array(select d from daybook._open_dead_letters(
      retry_dead_letters.kind, retry_dead_letters.name, retry_dead_letters.type, retry_dead_letters.stream_id) d), 'retrying');
begin
  if _count > 0 then
    perform daybook._audit(
      'retry_dead_letters', concat_ws(' ', coalesce(retry_dead_letters.kind, 'every kind'), retry_dead_letters.name),
      jsonb_build_object('type', retry_dead_letters.type, 'stream_id', retry_dead_letters.stream_id, 'count', _count));
  end if;
  return _count;
end
$$;

comment on function daybook.retry_dead_letters(text, text, text, text) is
  'Has all open dead letters tried again at once, or those of a kind (handler, route), a name, a type, a stream. Returns how many.';
