create or replace function daybook.apply_event_counts(events daybook.event[]) returns void
language plpgsql volatile
as $$
begin
  insert into event_counts as c (tenant_id, category, type, day, events, first_position, last_position)
  select e.tenant_id, e.category, e.type, (e.recorded_at at time zone 'UTC')::date, count(*), min(e.position), max(e.position)
    from unnest(apply_event_counts.events) e
   group by 1, 2, 3, 4
   order by 1, 2, 3, 4
      on conflict on constraint event_counts_pkey do update
     set events = c.events + excluded.events, first_position = least(c.first_position, excluded.first_position),
         last_position = greatest(c.last_position, excluded.last_position);
end
$$;

comment on function daybook.apply_event_counts(daybook.event[]) is 'What create_event_counts applies.';
