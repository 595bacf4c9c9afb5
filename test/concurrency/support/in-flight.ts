import type { Session } from "./sessions.ts";

/** Appends one event to a stream and returns its position; the session's transaction, if it has one, stays open. */
export function appendTo(session: Session, stream: string): Promise<number> {
  return session.value<number>("select last_position from daybook.append_event($1, 'Tested')", [stream]);
}

/** The last position that was drawn, by whomever; 0 if none was. */
export function lastValue(session: Session): Promise<number> {
  return session.value<number>("select coalesce(pg_sequence_last_value('daybook.positions'), 0)");
}

export function horizon(session: Session): Promise<number> {
  return session.value<number>("select daybook.horizon()");
}

/** The positions that read_all gives behind a position. */
export function readAll(session: Session, after = 0): Promise<number[]> {
  return session.column<number>("select position from daybook.read_all($1, 10000)", [after]);
}

/** How many locks a session holds to be seen as an append in flight. */
export function registrations(monitor: Session, session: Session): Promise<number> {
  return monitor.value<number>(
    "select count(*) from pg_locks where locktype = 'advisory' and classid = 1145196363 and objsubid = 2 and pid = $1",
    [session.pid],
  );
}
