import { setTimeout as sleep } from "node:timers/promises";
import { differences, logViolations } from "../support/log.ts";
import { type Random, random } from "../support/random.ts";
import { openSession, type Session, withSessions } from "../support/sessions.ts";
import { appendSome } from "./append-some.ts";
import { type Crashable, idViolations, type Scenario } from "./scenario.ts";

const WRITERS = 12;
const SHARED = Array.from({ length: 10 }, (_, i) => `kill-${i}`);
/** How long writers work between two crashes, in milliseconds. */
const WORK = { least: 30, most: 400 };

/** What clients know of their appends, over all crashes. */
interface Known {
  /** Ids of events whose commit was acknowledged. */
  readonly kept: string[];
  /** Ids of events whose transaction was rolled back. */
  readonly lost: string[];
  /** Acknowledged as prepared, by the name of the transaction; whoever finds them commits them. */
  readonly prepared: Map<string, readonly string[]>;
  /** What the reader has seen: position and event id, in order. */
  readonly seen: { position: number; id: string }[];
}

/** Durability: what was acknowledged is there after a crash. */
export const kill: Scenario = {
  name: "kill",
  summary: "the server is killed in mid-commit: every acknowledged event is there once, and no reader has seen another",
  unit: "kills",
  sizes: { test: 5, stress: 100 },
  needs: "server",
  run: async ({ server, seed, size, note }) => {
    if (!server) throw new Error("this scenario crashes a server of its own");
    const known: Known = { kept: [], lost: [], prepared: new Map(), seen: [] };
    const violations: string[] = await durabilityViolations(server.url);
    for (let i = 1; i <= size && violations.length === 0; i += 1) {
      const before = known.kept.length;
      await workUntilKilled(server, random(seed).fork(i), known, i);
      await server.restart();
      violations.push(...(await checkAfterCrash(server.url, known, before)));
      note(`kill ${i}: ${known.kept.length - before} acknowledged, ${known.kept.length} in all`);
    }
    violations.push(...(await checkAll(server.url, known)));
    return { violations, facts: { kills: size, acknowledged: known.kept.length, seen: known.seen.length } };
  },
};

/** A run on a server that does not sync its log would prove nothing. */
function durabilityViolations(url: string): Promise<string[]> {
  return withSessions(url, async (open) => {
    const session = await open();
    const settings = ["fsync", "synchronous_commit", "full_page_writes"];
    return session.column<string>(
      "select name || ' is ' || setting from pg_settings where name = any ($1) and setting <> 'on'",
      [settings],
    );
  });
}

/** Writers write and a reader follows until the server is killed under them. */
async function workUntilKilled(server: Crashable, choices: Random, known: Known, round: number): Promise<void> {
  const before = known.kept.length;
  let killed = false;
  const untilKilled = async (work: (session: Session) => Promise<void>) => {
    const working = async () => {
      const session = await openSession(server.url);
      try {
        for (;;) await work(session);
      } finally {
        await session.end();
      }
    };
    // With the server gone there is nobody to say how it ended, or to connect to.
    return working().catch((error: unknown) => {
      if (!killed) throw error;
    });
  };
  const work: Promise<void>[] = [];
  for (let i = 0; i < WRITERS; i += 1) {
    const own = choices.fork(i);
    let count = 0;
    const writing = (session: Session) => {
      count += 1;
      return write(session, own, known, `daybook_kill_${round}_${i}_${count}`);
    };
    work.push(untilKilled(writing));
  }
  work.push(untilKilled((session) => read(session, known)));
  for (let i = 0; known.kept.length === before && i < 1000; i += 1) await sleep(5);
  await sleep(choices.between(WORK.least, WORK.most));
  killed = true;
  await server.kill9();
  await Promise.all(work);
}

async function write(session: Session, random: Random, known: Known, name: string): Promise<void> {
  const kind = random.next();
  if (kind < 0.6) {
    known.kept.push(...(await appendSome(session, random, SHARED)));
    return;
  }
  // Streams of its own: with several appends a transaction would deadlock with others.
  const ids: string[] = [];
  await session.rows("begin");
  for (let i = random.between(1, 3); i > 0; i -= 1) ids.push(...(await appendSome(session, random, [name])));
  if (kind < 0.8) {
    await session.rows("commit");
    known.kept.push(...ids);
  } else if (kind < 0.9) {
    await session.rows("rollback");
    known.lost.push(...ids);
  } else {
    await session.rows(`prepare transaction '${name}'`);
    known.prepared.set(name, ids);
    await session.rows(`commit prepared '${name}'`);
    known.prepared.delete(name);
    known.kept.push(...ids);
  }
}

async function read(session: Session, known: Known): Promise<void> {
  const cursor = known.seen.at(-1)?.position ?? 0;
  const page = await session.rows("select position, event_id from daybook.read_all($1, 500)", [cursor]);
  for (const row of page) known.seen.push({ position: Number(row.position), id: String(row.event_id) });
  if (page.length === 0) await session.rows("select pg_sleep(0.003)");
}

async function checkAfterCrash(url: string, known: Known, before: number): Promise<string[]> {
  return withSessions(url, async (open) => {
    const session = await open();
    const names = await session.column<string>("select gid from pg_prepared_xacts where database = current_database()");
    for (const name of names)
      await session.rows(`${known.prepared.has(name) ? "commit" : "rollback"} prepared '${name}'`);
    for (const ids of known.prepared.values()) known.kept.push(...ids);
    known.prepared.clear();
    const kept = known.kept.slice(before);
    const log = await session.rows("select event_id from daybook.event_log where event_id = any ($1)", [kept]);
    const [state] = await session.rows(
      "select daybook.horizon() as horizon, coalesce(pg_sequence_last_value('daybook.positions'), 0) as last",
    );
    const stuck =
      state?.horizon === state?.last ? [] : [`the horizon is ${state?.horizon}, the last position ${state?.last}`];
    return [...idViolations(log, kept, []), ...stuck];
  });
}

async function checkAll(url: string, known: Known): Promise<string[]> {
  return withSessions(url, async (open) => {
    const session = await open();
    // The reader reads to the end.
    for (let count = -1; count < known.seen.length; ) {
      count = known.seen.length;
      await read(session, known);
    }
    const log = await session.rows("select position, event_id from daybook.event_log order by position");
    const ids = new Map(log.map((row) => [Number(row.position), row.event_id]));
    const others = known.seen.filter(({ position, id }) => ids.get(position) !== id);
    return [
      ...idViolations(log, known.kept, known.lost),
      ...differences(
        "the reader",
        known.seen.map(({ position }) => position),
        [...ids.keys()],
      ),
      ...others
        .slice(0, 5)
        .map(({ position, id }) => `the reader saw ${id} at ${position}, where ${ids.get(position)} is now`),
      ...(await logViolations(session)),
    ];
  });
}
