import type { Test } from "tap";
import { append as appendEvents } from "../../src/store/append.ts";
import type { TechnicalFact } from "../../src/waking/facts.ts";
import { startWorker, type Worker, type WorkerOptions } from "../../src/worker/index.ts";
import type { TestDatabase } from "../support/database.ts";
import { eventually } from "../waking/support.ts";

export { eventually };

/** A worker of a test, and the facts it has told. */
export interface TestWorker {
  readonly worker: Worker;
  readonly facts: TechnicalFact[];
}

/** Starts a worker whose safety poll would find nothing in time; it is stopped with the test. */
export async function work(t: Test, database: TestDatabase, options: Partial<WorkerOptions>): Promise<TestWorker> {
  const facts: TechnicalFact[] = [];
  const worker = await startWorker({
    db: database.url,
    safetyPoll: 60_000,
    stopTimeout: 2000,
    onEvent: (fact) => facts.push(fact),
    ...options,
  });
  t.teardown(() => worker.stop());
  return { worker, facts };
}

/** Appends events of a type to a stream; gives their positions. */
export async function append(database: TestDatabase, stream: string, count = 1, type = "Tested"): Promise<number[]> {
  const { firstPosition } = await appendEvents(database.db, {
    streamId: stream,
    events: Array.from({ length: count }, (_, n) => ({ type, data: { n } })),
  });
  return Array.from({ length: count }, (_, i) => Number(firstPosition) + i);
}

/** A table that handlers write their effects to. */
export async function effectsTable({ pool }: TestDatabase): Promise<void> {
  await pool.query(
    "create table effects (handler text, position bigint, stream text, version bigint, at timestamptz default clock_timestamp(), worker text)",
  );
}

/** Positions that a handler has written, in the order it did. */
export async function effects({ pool }: TestDatabase, handler: string): Promise<number[]> {
  const { rows } = await pool.query("select position::integer from effects where handler = $1 order by at, position", [
    handler,
  ]);
  return rows.map(({ position }) => position);
}
