create or replace function daybook.retry_parked(
  kind text,
  name text,
  stream_id text,
  tenant_id text default null
) returns void
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  _tenant text := daybook._tenant(retry_parked.tenant_id);
  _parked daybook.parked_streams := daybook._lock_parked(retry_parked.kind, retry_parked.name, retry_parked.stream_id, _tenant);
begin
  if _parked.retry_at is null then
    raise exception using
      errcode = 'YD504',
      message = format('stream %s %s for %s %s', coalesce(quote_literal(retry_parked.stream_id), 'null'),
                       case when _parked.position is null then 'is not parked' else 'waits for its dead letter' end,
                       retry_parked.kind, coalesce(quote_literal(retry_parked.name), 'null')),
      detail = jsonb_build_object('kind', retry_parked.kind, 'name', retry_parked.name, 'tenant_id', _tenant,
                                  'stream_id', retry_parked.stream_id, 'position', _parked.position),
      hint = case when _parked.position is null then 'Those that are: select * from daybook.parked.'
             else format('Its tries are used up: select daybook.retry_dead_letters(%L, %L, stream_id => %L)',
                         retry_parked.kind, retry_parked.name, retry_parked.stream_id) end;
  end if;
  update daybook.parked_streams p
     set retry_at = clock_timestamp(), waits_since = clock_timestamp()
   where p.tenant_id = _tenant and p.kind = retry_parked.kind and p.name = retry_parked.name and p.stream_id = retry_parked.stream_id;
  perform daybook._audit('retry_parked', retry_parked.kind || ' ' || retry_parked.name, jsonb_build_object(
    'tenant_id', _tenant, 'stream_id', retry_parked.stream_id, 'position', _parked.position, 'attempts', _parked.attempts));
end
$$;

comment on function daybook.retry_parked(text, text, text, text) is
  'Has a parked stream of a handler or route tried again at once, and not when its delay is over; its tries count on. One whose tries are used up is retried with its dead letter. Raises YD504.';
