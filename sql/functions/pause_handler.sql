create or replace function daybook.pause_handler(name text, reason text default null) returns void
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  perform daybook._pause_consumer('handler', pause_handler.name, reason);
end
$$;

comment on function daybook.pause_handler(text, text) is
  'Stops a handler until resume_handler: waits for the batch in hand, and when it has returned and is committed, the handler handles nothing. Raises YD501.';
