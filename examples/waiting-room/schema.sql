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
