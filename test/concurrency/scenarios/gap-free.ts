import { differences, logViolations } from "../support/log.ts";
import { type Random, random } from "../support/random.ts";
import { type Session, sqlState, withSessions } from "../support/sessions.ts";
import { appendSome } from "./append-some.ts";
import { follow, READERS } from "./follow.ts";
import { idViolations, type Scenario } from "./scenario.ts";

const WRITERS = 24;
const SHARED = Array.from({ length: 6 }, (_, i) => `shared-${i}`);
const ISOLATION = ["read committed", "read committed", "repeatable read", "serializable"];

interface Work {
  readonly session: Session;
  readonly random: Random;
  /** Streams that nobody else appends to: a transaction with several appends would otherwise deadlock with others. */
  readonly streams: readonly string[];
  readonly name: string;
  readonly kept: string[];
  readonly lost: string[];
  readonly facts: Facts;
}

interface Facts {
  transactions: number;
  rollbacks: number;
  savepoints: number;
  prepared: number;
  [name: string]: number;
}

/** Readers see every committed event once, in order, whatever writers do. */
export const gapFree: Scenario = {
  name: "gap-free",
  summary:
    "24 writers with delays, rollbacks, savepoints and two-phase commit: every reader sees every event once, in order",
  unit: "transactions per writer",
  sizes: { test: 25, stress: 1000 },
  needs: "database",
  run: ({ url, seed, size }) =>
    withSessions(url, async (open) => {
      const monitor = await open();
      const twoPhase = (await monitor.value<string>("show max_prepared_transactions")) !== "0";
      const facts: Facts = { transactions: 0, rollbacks: 0, savepoints: 0, prepared: 0 };
      const [kept, lost]: [string[], string[]] = [[], []];
      const writers: Promise<void>[] = [];
      for (let i = 0; i < WRITERS; i += 1) {
        const streams = [0, 1, 2].map((n) => `own-${i}-${n}`);
        const name = `daybook_gap_free_${seed}_${i}`;
        const work = { session: await open(), random: random(seed).fork(i), streams, name, kept, lost, facts };
        writers.push(write(work, size, twoPhase));
      }
      let ended = false;
      const writing = Promise.all(writers).finally(() => {
        ended = true;
      });
      const following: Promise<number[]>[] = [];
      for (const [i, reader] of READERS.entries()) {
        following.push(follow(await open(), reader, random(seed).fork(1000 + i), () => ended));
      }
      await Promise.all([writing, ...following]);
      const seen = await Promise.all(following);

      const log = await monitor.rows("select position, event_id from daybook.event_log order by position");
      const positions = log.map((row) => Number(row.position));
      return {
        violations: [
          ...READERS.flatMap((reader, i) => differences(reader.name, seen[i] ?? [], positions)),
          ...idViolations(log, kept, lost),
          ...(await logViolations(monitor)),
        ],
        facts: { ...facts, events: log.length },
      };
    }),
};

async function write(work: Work, size: number, twoPhase: boolean): Promise<void> {
  const { session, random, kept, facts } = work;
  for (let i = 0; i < size; i += 1) {
    facts.transactions += 1;
    const kind = random.next();
    if (kind < 0.3) kept.push(...(await appendSome(session, random, [...SHARED, ...work.streams])));
    else if (kind < 0.9 || !twoPhase)
      await transaction(work, work.streams, random.chance(0.75) ? "commit" : "rollback");
    else await prepare(work, `${work.name}_${i}`);
  }
}

/** Several appends and pauses in one transaction. A serialization failure is an ordinary rollback. */
async function transaction(work: Work, streams: readonly string[], end: string): Promise<void> {
  const { session, random, facts } = work;
  const pending: string[] = [];
  const attempted: string[] = [];
  const ids: Attempt = { pending, attempted };
  try {
    await session.rows(`begin isolation level ${random.pick(ISOLATION)}`);
    for (let i = random.between(1, 4); i > 0; i -= 1) await step(work, streams, ids);
    await session.rows(end);
  } catch (error) {
    if (sqlState(error) !== "40001") throw error;
    await session.rows("rollback");
    facts.conflicts = (facts.conflicts ?? 0) + 1;
    work.lost.push(...attempted);
    return;
  }
  const committed = end !== "rollback";
  if (!committed) facts.rollbacks += 1;
  work.kept.push(...(committed ? pending : []));
  const stays = new Set(committed ? pending : []);
  work.lost.push(...attempted.filter((id) => !stays.has(id)));
}

interface Attempt {
  readonly pending: string[];
  readonly attempted: string[];
}

async function step({ session, random, facts }: Work, streams: readonly string[], ids: Attempt): Promise<void> {
  const append = async () =>
    ids.pending.push(...(await appendSome(session, random, streams, (all) => void ids.attempted.push(...all))));
  const pause = () => session.rows("select pg_sleep($1)", [random.next() * 0.008]);
  if (random.chance(0.4)) await pause();
  if (!random.chance(0.4)) {
    await append();
  } else {
    facts.savepoints += 1;
    const before = ids.pending.length;
    await session.rows("savepoint s");
    for (let i = random.between(1, 2); i > 0; i -= 1) await append();
    if (random.chance(0.5)) {
      await session.rows("rollback to s");
      ids.pending.length = before;
    } else {
      await session.rows("release s");
    }
  }
  if (random.chance(0.4)) await pause();
}

/** Two-phase commit, of streams of its own: the next append to a stream waits for the end of the transaction. */
async function prepare(work: Work, id: string): Promise<void> {
  const { session, random, kept, lost, facts } = work;
  const mine: Work = { ...work, kept: [], lost: [] };
  await transaction(mine, [`prepared-${id}`], `prepare transaction '${id}'`);
  lost.push(...mine.lost);
  if (mine.kept.length === 0 && !(await isPrepared(session, id))) return;
  facts.prepared += 1;
  for (let i = random.between(0, 2); i > 0; i -= 1) await transaction(work, work.streams, "commit");
  const end = random.chance(0.7) ? "commit" : "rollback";
  await session.rows(`${end} prepared '${id}'`);
  (end === "commit" ? kept : lost).push(...mine.kept);
}

function isPrepared(session: Session, id: string): Promise<boolean> {
  return session.value<boolean>("select exists (select from pg_prepared_xacts where gid = $1)", [id]);
}
