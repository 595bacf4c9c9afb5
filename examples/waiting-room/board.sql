-- What the board in the hall shows: a view over the view of projection queue, which stays whatever version is behind it.
create or replace view waiting_room.board as
select q.room,
       row_number() over (partition by q.room order by array_position(array['emergency', 'urgent', 'routine'], q.priority), q.came) as place,
       q.patient_id, q.priority, q.since
  from waiting_room.queue q;
comment on view waiting_room.board is 'Who waits in each room, since when, and whose turn it is.';
