create or replace function daybook.resume_handler(name text) returns void
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  perform daybook._resume_consumer('handler', resume_handler.name);
end
$$;

comment on function daybook.resume_handler(text) is
  'Lets a handler go on that was paused, or that was halted by a failure: the message that failed is tried at once, with all its tries before it. Raises YD501.';
