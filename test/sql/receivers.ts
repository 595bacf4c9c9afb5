import type { Test } from "tap";
import { openSession, type Session } from "../concurrency/support/sessions.ts";
import type { TestDatabase } from "../support/database.ts";

/** A message as `receive` hands it out, in part. */
export interface Received {
  readonly token: string;
  readonly position: number;
  readonly stream_id: string;
  readonly version: number;
  readonly attempts: number;
}

/** A session that ends with the test. */
export async function receiver(t: Test, database: TestDatabase): Promise<Session> {
  const session = await openSession(database.url);
  t.teardown(() => session.end());
  return session;
}

export const receive = (session: Session, route: string, count = 10, lease = "1 minute") =>
  session.rows<Received & Record<string, unknown>>(
    "select token, position, stream_id, version, attempts from daybook.receive($1, $2, $3::interval, 'tester')",
    [route, count, lease],
  );

export const ack = (session: Session, route: string, token: string | undefined) =>
  session.value<boolean>("select daybook.ack($1, $2)", [route, token]);

/** Gives a message back, to come again at once. */
export const nack = (session: Session, route: string, token: string | undefined) =>
  session.value<string>("select daybook.nack($1, $2, 'cannot', interval '0')", [route, token]);

/** Makes a route that is received in SQL, of one category, and returns how events are put into it. */
export async function queue({ pool }: TestDatabase, category: string, more = "") {
  await pool.query(`select daybook.create_route($1, 'postgres', categories => array[$1] ${more})`, [category]);
  return (stream: number, events = 1) =>
    pool.query("select daybook.append($1, $2)", [
      `${category}-${stream}`,
      JSON.stringify(Array.from({ length: events }, () => ({ type: "T", data: { a: 1 } }))),
    ]);
}

/** `1.2`: version 2 of stream 1. */
export const places = (all: readonly Received[]) => all.map((m) => `${m.stream_id.split("-")[1]}.${m.version}`);
