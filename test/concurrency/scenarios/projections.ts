import { setTimeout as sleep } from "node:timers/promises";
import { logViolations } from "../support/log.ts";
import { type Random, random } from "../support/random.ts";
import { type Session, sqlState, withSessions } from "../support/sessions.ts";
import { appendSome } from "./append-some.ts";
import { attempt, createAll, creation, foldViolations, PROJECTIONS, replace, settle } from "./projected.ts";
import { idViolations, type Scenario } from "./scenario.ts";

const WRITERS = 24;
const DRIVERS = 2;
const SHARED = Array.from({ length: 8 }, (_, i) => `shared-${i}`);
const ISOLATION = ["read committed", "read committed", "repeatable read", "serializable"];

interface Work {
  readonly session: Session;
  readonly random: Random;
  /** Streams that nobody else appends to. */
  readonly own: readonly string[];
  readonly kept: string[];
  readonly lost: string[];
  readonly violations: string[];
  readonly facts: Record<string, number>;
}

/** Law 13: whatever happens to it, a projection is a fold of the whole log. */
export const projections: Scenario = {
  name: "projections",
  summary:
    "24 writers with rollbacks, while projections run, are rebuilt, replaced, reset, paused, resumed and dropped at random: their rows are a fold of the whole log, and nobody deadlocks",
  unit: "transactions per writer",
  sizes: { test: 40, stress: 2000 },
  needs: "database",
  run: ({ url, seed, size, note }) =>
    withSessions(url, async (open) => {
      const monitor = await open();
      await createAll(monitor);
      const [kept, lost, violations]: [string[], string[], string[]] = [[], [], []];
      const facts = { transactions: 0, rollbacks: 0, conflicts: 0, batches: 0, operations: 0, switches: 0 };
      const writers: Promise<void>[] = [];
      for (let i = 0; i < WRITERS; i += 1) {
        const own = [0, 1, 2].map((n) => `own-${i}-${n}`);
        writers.push(
          write({ session: await open(), random: random(seed).fork(i), own, kept, lost, violations, facts }, size),
        );
      }
      let ended = false;
      const writing = Promise.all(writers).finally(() => {
        ended = true;
      });
      const others: Promise<void>[] = [];
      for (let i = 0; i < DRIVERS; i += 1)
        others.push(drive(await open(), random(seed).fork(100 + i), violations, facts, () => ended));
      others.push(operate(await open(), random(seed).fork(200), violations, facts, () => ended));
      await Promise.all([writing, ...others]);
      note("all have written");
      violations.push(...(await settle(monitor)));
      const log = await monitor.rows("select position, event_id from daybook.event_log");
      violations.push(
        ...(await foldViolations(monitor)),
        ...idViolations(log, kept, lost),
        ...(await logViolations(monitor)),
      );
      return { violations: violations.slice(0, 30), facts: { ...facts, events: log.length } };
    }),
};

async function write(work: Work, size: number): Promise<void> {
  for (let i = 0; i < size; i += 1) {
    work.facts.transactions = (work.facts.transactions ?? 0) + 1;
    if (work.random.chance(0.5)) await single(work);
    else await transaction(work);
    if (work.random.chance(0.2)) await sleep(work.random.between(1, 10));
  }
}

/** One call: it never deadlocks, and never has to be done again. */
async function single({ session, random, own, kept, violations }: Work): Promise<void> {
  try {
    kept.push(...(await appendSome(session, random, [...SHARED, ...own])));
  } catch (error) {
    violations.push(`a single append failed: ${sqlState(error)} ${String(error)}`);
  }
}

/** Several, of streams of its own; a serialization failure is an ordinary rollback. */
async function transaction(work: Work): Promise<void> {
  const { session, random, own, facts } = work;
  const [pending, attempted]: [string[], string[]] = [[], []];
  const commits = random.chance(0.75);
  try {
    await session.rows(`begin isolation level ${random.pick(ISOLATION)}`);
    for (let i = random.between(1, 3); i > 0; i -= 1) {
      pending.push(...(await appendSome(session, random, own, (ids) => void attempted.push(...ids))));
      if (random.chance(0.2)) await session.rows("select pg_sleep($1)", [random.next() * 0.01]);
    }
    await session.rows(commits ? "commit" : "rollback");
  } catch (error) {
    await session.rows("rollback");
    if (sqlState(error) !== "40001") work.violations.push(`a transaction failed: ${sqlState(error)} ${String(error)}`);
    facts.conflicts = (facts.conflicts ?? 0) + 1;
    work.lost.push(...attempted);
    return;
  }
  if (!commits) facts.rollbacks = (facts.rollbacks ?? 0) + 1;
  const stays = new Set(commits ? pending : []);
  work.kept.push(...stays);
  work.lost.push(...attempted.filter((id) => !stays.has(id)));
}

async function drive(
  session: Session,
  choices: Random,
  violations: string[],
  facts: Record<string, number>,
  ended: () => boolean,
): Promise<void> {
  while (!ended()) {
    const consumers = await session.column<string>(
      "select consumer from daybook.projection_versions where stage <> 'retired'",
    );
    for (const consumer of choices.some(consumers, 4)) {
      const [done] = await attempt(session, violations, "select * from daybook.advance_projection($1, $2)", [
        consumer,
        choices.between(1, 300),
      ]);
      facts.batches = (facts.batches ?? 0) + 1;
      if (done?.outcome === "switched") facts.switches = (facts.switches ?? 0) + 1;
    }
    await sleep(choices.between(0, 5));
  }
}

/** A person who cannot leave it alone. */
async function operate(
  session: Session,
  choices: Random,
  violations: string[],
  facts: Record<string, number>,
  ended: () => boolean,
): Promise<void> {
  const operations = [
    "rebuild_projection",
    "rebuild_projection",
    "rebuild_projection",
    "drop_rebuild",
    "pause_projection",
    "resume_projection",
    "resume_projection",
    "reset_projection",
    "replace_projection",
    "replace_projection",
    "drop_projection",
  ];
  while (!ended()) {
    const projection = choices.pick(PROJECTIONS);
    const { name } = projection;
    const operation = choices.pick(operations);
    if (operation === "replace_projection")
      await replace(session, violations, projection, choices.pick(["inline", "async"]));
    else await attempt(session, violations, `select daybook.${operation}($1)`, [name]);
    if (operation === "drop_projection") await attempt(session, violations, ...creation(projection));
    facts.operations = (facts.operations ?? 0) + 1;
    // what is paused holds nothing up for long
    if (operation === "pause_projection" && choices.chance(0.7)) {
      await sleep(choices.between(1, 60));
      await attempt(session, violations, "select daybook.resume_projection($1)", [name]);
    }
    await sleep(choices.between(5, 60));
  }
}
