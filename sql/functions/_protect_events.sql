create or replace function daybook._protect_events("table" regclass) returns void
language plpgsql volatile
as $$
begin
  if exists (select from pg_trigger t where t.tgrelid = "table" and t.tgname = 'append_only' and t.tgenabled = 'A') then
    return;
  end if;
  execute format('create or replace trigger append_only before update or delete or truncate on %s for each statement execute function daybook.refuse_change()', "table");
  execute format('alter table %s enable always trigger append_only', "table");
  execute format('comment on trigger append_only on %s is %L', "table", 'Events are never changed: refuses UPDATE, DELETE and TRUNCATE, whoever asks.');
end
$$;

comment on function daybook._protect_events(regclass) is 'Puts the append_only trigger on a table of events, where it is missing. Statement triggers do not reach partitions, so each has its own.';
