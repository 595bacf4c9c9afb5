import { z } from "zod";
import type { Db } from "../db.ts";
import { type OnEvent, safely } from "../waking/facts.ts";
import { createBackoff, createPause } from "../waking/pause.ts";
import type { DueShard, Runnable } from "./consumers.ts";
import { type Drains, keyOf } from "./drains.ts";
import { addJobs, type JobRequest, readJobs } from "./job-table.ts";
import type { Jobs } from "./jobs.ts";

/** Finds out which shards have work, and sees to it that somebody does it. */
export interface Dispatcher {
  /** The log has moved, or goes on to. */
  onHorizon(): void;
  /** Something else may be due: looks at everything, at once or within so many milliseconds. */
  check(within?: number): void;
  /** A job of a shard has been taken by this process. */
  onStart(key: string): void;
  /** Jobs that wait for a place. */
  readonly waiting: number;
  stop(): Promise<void>;
}

export interface DispatcherOptions {
  readonly db: Db;
  readonly schema: string;
  readonly runnable: Runnable;
  readonly drains: Drains;
  jobs(): Jobs | undefined;
  horizon(): bigint | undefined;
  readonly safetyPoll: number;
  readonly onEvent: OnEvent | undefined;
}

/** A job made so long ago (milliseconds) has been taken by another process. */
const waitsAtMost = 3000;

export function createDispatcher(options: DispatcherOptions): Dispatcher {
  const { db, schema, runnable, drains, safetyPoll } = options;
  const tell = safely(options.onEvent);
  const bell = createPause();
  /** Between two looks at everything, while there is something going on. */
  const checks = createBackoff(1000, 5000);
  const failing = createBackoff(100, 5000, 0.2);
  const waiting = new Map<string, number>();
  /** Up to here it is known what there is. */
  let after: bigint | undefined;
  /** Whoever has nothing to do up to here has been moved there. */
  let caughtUp: bigint | undefined;
  let nextCheck = 0;
  let isStopped = false;

  const checkWithin = (milliseconds: number) => {
    nextCheck = Math.min(nextCheck, performance.now() + milliseconds);
  };

  async function turn(): Promise<void> {
    const horizon = options.horizon();
    if (horizon === undefined) return;
    const isCheck = performance.now() >= nextCheck;
    const isMoved = after !== undefined && horizon > after;
    if (!isCheck && !isMoved && after === horizon) return;
    // the log was set back
    if (after !== undefined && after > horizon) after = caughtUp = undefined;
    if (isCheck) nextCheck = performance.now() + safetyPoll;
    if (isCheck && caughtUp !== undefined) caughtUp = await moveIdle(db, caughtUp, horizon);
    const due = await readDue(db, after ?? horizon, horizon, caughtUp);
    after = horizon;
    caughtUp ??= horizon;
    const isBusy = await dispatch(due);
    failing.reset();
    if (isMoved || isBusy) checks.reset();
    if (isMoved) checkWithin(1000);
    if (due.length > 0 || caughtUp < horizon) checkWithin(checks.next());
    if (isCheck) {
      const rest = await untilNextDue(db);
      if (rest !== undefined) checkWithin(rest > 0 ? rest + 1 : checks.next());
    }
  }

  /** Whether something of it is done by this process. */
  async function dispatch(due: readonly DueShard[]): Promise<boolean> {
    const jobs = options.jobs();
    const wanted: JobRequest[] = [];
    let isBusy = false;
    for (const shard of due) {
      const task = await runnable.taskOf(shard);
      if (task === undefined) continue;
      if (drains.poke(shard)) isBusy = true;
      else if (drains.mayStart(keyOf(shard))) wanted.push({ task, key: keyOf(shard), due: shard });
    }
    if (wanted.length === 0 || jobs?.id === undefined) return isBusy;
    const there = await readJobs(
      db,
      schema,
      wanted.map(({ key }) => key),
    );
    const missing = wanted.filter(({ key }) => {
      const job = there.get(key);
      // one that another process has in hand is seen to there; one of this process is just ending
      return job === undefined || (job.lockedBy === null ? !job.isDue : job.lockedBy === jobs.id);
    });
    const queued = wanted.filter(({ key }) => {
      const job = there.get(key);
      return job !== undefined && job.lockedBy === null && job.isDue;
    });
    const now = performance.now();
    for (const { key } of [...missing, ...queued]) waiting.set(key, now);
    if (missing.length > 0) await addJobs(db, schema, missing);
    jobs.nudge(missing.length + queued.length);
    drains.makeRoom();
    return isBusy || missing.length + queued.length > 0;
  }

  async function run(): Promise<void> {
    while (!isStopped) {
      try {
        await turn();
        const isKnown = options.horizon() !== undefined;
        if (!isStopped) await bell.wait(isKnown ? Math.max(nextCheck - performance.now(), 0) : 1000);
      } catch (error) {
        checkWithin(0);
        tell({ type: "dispatch-failed", level: "warning", error });
        const until = performance.now() + failing.next();
        while (!isStopped && performance.now() < until) await bell.wait(until - performance.now());
      }
    }
  }

  const running = run();
  return {
    onHorizon: bell.end,
    check(milliseconds = 0) {
      checkWithin(milliseconds);
      bell.end();
    },
    onStart: (key) => waiting.delete(key),
    get waiting() {
      const since = performance.now() - waitsAtMost;
      for (const [key, at] of waiting) if (at < since) waiting.delete(key);
      return waiting.size;
    },
    async stop() {
      isStopped = true;
      bell.end();
      await running;
    },
  };
}

const dueRows = z.array(
  z
    .object({
      kind: z.enum(["handler", "projection", "route"]),
      name: z.string(),
      implementation: z.string(),
      shard: z.int(),
      shard_count: z.int(),
    })
    .transform(({ shard_count: shardCount, ...row }) => ({ ...row, shardCount })),
);

async function readDue(db: Db, after: bigint, horizon: bigint, caughtUp: bigint | undefined): Promise<DueShard[]> {
  return dueRows.parse(
    await db.query(
      `select kind, name, implementation, shard, shard_count
         from daybook.due_consumers(after_position => $1::bigint, horizon => $2::bigint, caught_up => $3::bigint)`,
      [after, horizon, caughtUp],
      { name: "daybook_due_consumers" },
    ),
  );
}

const movedRow = z.object({ caught_up: z.bigint() });

async function moveIdle(db: Db, caughtUp: bigint, horizon: bigint): Promise<bigint> {
  if (caughtUp >= horizon) return caughtUp;
  const [row] = await db.query(
    "select daybook.move_idle_consumers(caught_up => $1::bigint, horizon => $2::bigint) as caught_up",
    [caughtUp, horizon],
    { name: "daybook_move_idle_consumers" },
  );
  return movedRow.parse(row).caught_up;
}

const restRow = z.object({ rest: z.number().nullable() });

/** Milliseconds until the next retry, by the server's clock. */
async function untilNextDue(db: Db): Promise<number | undefined> {
  const [row] = await db.query(
    "select (extract(epoch from daybook.next_due() - clock_timestamp()) * 1000)::double precision as rest",
    [],
    { name: "daybook_next_due" },
  );
  return restRow.parse(row).rest ?? undefined;
}
