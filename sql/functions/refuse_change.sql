create or replace function daybook.refuse_change() returns trigger
language plpgsql volatile
as $$
begin
  raise exception using
    errcode = 'YD301',
    message = format('events are never changed: %s of %s.%s is refused', tg_op, tg_table_schema, tg_table_name),
    detail = jsonb_build_object('operation', tg_op, 'table', tg_table_name),
    hint = 'Append an event that says what is different now.';
end
$$;

comment on function daybook.refuse_change() is 'Trigger function: refuses UPDATE, DELETE and TRUNCATE of events with YD301.';
