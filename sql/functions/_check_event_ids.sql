create or replace function daybook._check_event_ids(events jsonb) returns void
language plpgsql stable
as $$
declare
  _twice text;
begin
  select lower(e.value ->> 'event_id') into _twice
    from jsonb_array_elements(events) e
   where e.value ->> 'event_id' is not null
   group by lower(e.value ->> 'event_id')
  having count(*) > 1
   limit 1;
  if found then
    raise exception using
      errcode = 'YD107',
      message = format('event_id %s stands twice in one call', _twice),
      detail = jsonb_build_object('event_id', _twice),
      hint = 'Give each event an id of its own, or none: one is made.';
  end if;
end
$$;

comment on function daybook._check_event_ids(jsonb) is 'Refuses the same event_id twice in one call: YD107.';
