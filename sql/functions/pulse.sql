-- The last value is read behind the horizon: where both are the same, nothing drawn by then was in flight. While they
-- differ, nobody may wait for a notification: an append that was rolled back sends none, and what lies behind it is
-- settled by that.
create or replace function daybook.pulse(
  out horizon bigint,
  out settled boolean
) returns record
language plpgsql volatile
as $$
begin
  horizon := daybook.horizon();
  settled := horizon = coalesce(pg_sequence_last_value('daybook.positions'::regclass), 0);
end
$$;

comment on function daybook.pulse() is
  'What a process that follows the log looks at: the horizon, and whether it is the end of the log. While it is not (settled = false) an append is in flight, which may end without a word: look again, and do not sleep.';
