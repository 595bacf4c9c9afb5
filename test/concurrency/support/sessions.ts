import pg from "pg";
import type { Test } from "tap";

export type Row = Record<string, unknown>;

/** One connection of a test, used by hand: what it does next is said step by step. */
export interface Session {
  /** Of its server process. */
  readonly pid: number;
  /** All rows of a query; bigint comes as number. */
  rows<R extends Row = Row>(text: string, values?: readonly unknown[]): Promise<R[]>;
  /** The first column of every row. */
  column<T = unknown>(text: string, values?: readonly unknown[]): Promise<T[]>;
  /** The first column of the first row. */
  value<T = unknown>(text: string, values?: readonly unknown[]): Promise<T>;
  /** `ok`, or the SQLSTATE of what it fails with. */
  outcome(text: string, values?: readonly unknown[]): Promise<string>;
  end(): Promise<void>;
}

// Positions of tests stay below 2^53.
const types: pg.CustomTypesConfig = {
  getTypeParser: ((oid: number, format?: "text") =>
    oid === pg.types.builtins.INT8 ? Number : pg.types.getTypeParser(oid, format)) as typeof pg.types.getTypeParser,
};

export async function openSession(url: string): Promise<Session> {
  const client = new pg.Client(url);
  // A server that is killed says so to the query at hand; nobody else needs to know.
  client.on("error", () => undefined);
  await client.connect();
  const rows = async <R extends Row>(text: string, values: readonly unknown[] = []) =>
    (await client.query<R>({ text, values: [...values], types })).rows;
  const column = async <T>(text: string, values?: readonly unknown[]) =>
    (await rows(text, values)).map((row) => Object.values(row)[0] as T);
  const value = async <T>(text: string, values?: readonly unknown[]) => {
    const [first] = await rows(text, values);
    if (first === undefined) throw new Error(`no row: ${text}`);
    return Object.values(first)[0] as T;
  };
  const outcome = (text: string, values?: readonly unknown[]) =>
    rows(text, values).then(
      () => "ok",
      (error: unknown) => sqlState(error),
    );
  return { pid: await value<number>("select pg_backend_pid()"), rows, column, value, outcome, end: () => client.end() };
}

/** The SQLSTATE of an error; one without is thrown on. */
export function sqlState(error: unknown): string {
  if (error instanceof pg.DatabaseError && error.code !== undefined) return error.code;
  throw error;
}

/** A session for each name, closed when the test ends. */
export async function sessions<Name extends string>(
  t: Test,
  url: string,
  names: readonly Name[],
): Promise<Record<Name, Session>> {
  const opened = await Promise.all(names.map(async (name) => [name, await openSession(url)] as const));
  t.teardown(() => Promise.all(opened.map(([, session]) => session.end())));
  return Object.fromEntries(opened) as Record<Name, Session>;
}

/** Runs work that opens sessions as it needs them; they are closed in any case. */
export async function withSessions<T>(url: string, work: (open: () => Promise<Session>) => Promise<T>): Promise<T> {
  const opened: Session[] = [];
  try {
    return await work(async () => {
      const session = await openSession(url);
      opened.push(session);
      return session;
    });
  } finally {
    await Promise.all(opened.map((session) => session.end()));
  }
}

/**
 * Waits until a query has ended, or waits for a lock that one of the holders has: sessions that do nothing meanwhile, so
 * that it waits until they go on.
 */
export async function endedOrBlocked(
  monitor: Session,
  waiter: Session,
  holders: readonly Session[],
  query: Promise<unknown>,
): Promise<"ended" | "blocked"> {
  let ended = false;
  const note = () => {
    ended = true;
  };
  query.then(note, note);
  const held = holders.map((holder) => holder.pid);
  while (!ended) {
    const blocked = await monitor.value<boolean>("select pg_blocking_pids($1) && $2::integer[]", [waiter.pid, held]);
    if (blocked && !ended) return "blocked";
  }
  return "ended";
}

/**
 * Whether a query ends while the holders do nothing. One that waits for them is cancelled, so that a test that has
 * failed does not wait with it for ever.
 */
export async function endsAlone(
  monitor: Session,
  waiter: Session,
  holders: readonly Session[],
  query: Promise<unknown>,
): Promise<boolean> {
  if ((await endedOrBlocked(monitor, waiter, holders, query)) === "ended") return true;
  await monitor.rows("select pg_cancel_backend($1)", [waiter.pid]);
  return false;
}
