-- What the waiting room's handler writes, and what its route makes public. Run at every start.
create schema if not exists waiting_room;

create table if not exists waiting_room.visits (
  visit_id uuid primary key,
  run text,
  room text not null,
  priority text not null,
  desk text,
  checked_in_at timestamptz not null,
  called_at timestamptz,
  attended_at timestamptz,
  left_at timestamptz
);
comment on table waiting_room.visits is 'One row a visit, written by the handler waiting-room-visits.';

create table if not exists waiting_room.arrivals (
  message_id text primary key,
  run text,
  room text not null,
  received_at timestamptz not null default now()
);
comment on table waiting_room.arrivals is 'What came through the broker, each message once.';

-- The public shape of a check-in: what others need to know, and not who it is.
create or replace function waiting_room.arrival(event daybook.event) returns jsonb
language sql stable
as $$
  select jsonb_build_object(
    'visit', event.data ->> 'visitId', 'room', event.stream_id, 'priority', event.data ->> 'priority', 'run', event.metadata ->> 'run')
$$;
comment on function waiting_room.arrival(daybook.event) is 'Public payload of waiting-room.patient-arrived, version 1.';

-- What readers are shown: the apply functions of the projections in read-models.ts. Their tables are not here: each version of a
-- projection has its own, and readers have views of the same names, in this schema.
grant usage, create on schema waiting_room to daybook_projector;

create or replace function waiting_room.apply_queue(events daybook.event[]) returns void
language plpgsql
as $$
begin
  insert into queue (visit_id, patient_id, room, priority, since, came)
  select e.correlation_id, e.data ->> 'patientId', e.stream_id, e.data ->> 'priority', e.occurred_at, e.position
    from unnest(events) e
   where e.type = 'PatientCheckedIn'
     and not exists (select from unnest(events) l where l.correlation_id = e.correlation_id and l.type <> 'PatientCheckedIn')
   order by e.correlation_id;
  delete from queue q using unnest(events) e where e.type <> 'PatientCheckedIn' and q.visit_id = e.correlation_id;
end
$$;
comment on function waiting_room.apply_queue(daybook.event[]) is 'Projection queue: who waits. Whoever is called, or leaves, waits no longer.';

create or replace function waiting_room.apply_waiting_patients(events daybook.event[]) returns void
language plpgsql
as $$
begin
  insert into waiting_patients (visit_id, patient_id, room, priority, stage, since)
  select e.correlation_id, e.data ->> 'patientId', e.stream_id, e.data ->> 'priority', 'waiting', e.occurred_at
    from unnest(events) e
   where e.type = 'PatientCheckedIn';
  update waiting_patients p
     set stage = case l.type when 'PatientCalled' then 'called' else 'attended' end, desk = l.desk
    from (select distinct on (e.correlation_id) e.correlation_id, e.type, e.data ->> 'desk' as desk
            from unnest(events) e
           where e.type in ('PatientCalled', 'PatientAttended')
           order by e.correlation_id, e.position desc) l
   where p.visit_id = l.correlation_id;
  delete from waiting_patients p using unnest(events) e where e.type = 'PatientLeft' and p.visit_id = e.correlation_id;
end
$$;
comment on function waiting_room.apply_waiting_patients(daybook.event[]) is 'Projection waiting-patients: who is in the rooms, and how far they are.';

create or replace function waiting_room.apply_daily_figures(event daybook.event) returns void
language plpgsql
as $$
declare
  _waited interval;
begin
  if event.type = 'PatientCheckedIn' then
    insert into waiting_since (visit_id, since) values (event.correlation_id, event.occurred_at);
  elsif event.type in ('PatientCalled', 'PatientLeft') then
    delete from waiting_since w where w.visit_id = event.correlation_id returning event.occurred_at - w.since into _waited;
  end if;
  insert into daily_figures as f (room, arrived, called, attended, gave_up, waited)
  values (
    event.stream_id, (event.type = 'PatientCheckedIn')::integer, (event.type = 'PatientCalled')::integer, (event.type = 'PatientAttended')::integer,
    (event.type = 'PatientLeft' and not (event.data ->> 'attended')::boolean)::integer,
    case event.type when 'PatientCalled' then _waited else '0' end)
  on conflict (room) do update set
    arrived = f.arrived + excluded.arrived, called = f.called + excluded.called, attended = f.attended + excluded.attended,
    gave_up = f.gave_up + excluded.gave_up, waited = f.waited + excluded.waited;
end
$$;
comment on function waiting_room.apply_daily_figures(daybook.event) is 'Projection daily-figures: what happened in a room on a day, and how long those who were called had waited.';
