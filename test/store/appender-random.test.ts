import { randomInt } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import t from "tap";
import { type AppendInput, append, createAppender, readStream } from "../../src/index.ts";
import { testDatabase } from "../support/database.ts";

/* Calls of every kind in any order, streams held and let go, calls taken back: nothing lost, twice, or out of order. */

const { db } = await testDatabase(t);
const streams = 12;
const seed = Number(process.env.DAYBOOK_TEST_SEED || randomInt(2 ** 31));

/** Numbers from 0 to below n, the same ones for the same seed (mulberry32). */
function random(state: number): (n: number) => number {
  let at = state;
  return (n) => {
    at = (at + 0x6d2b79f5) | 0;
    let mixed = Math.imul(at ^ (at >>> 15), at | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) % n;
  };
}

interface Call {
  readonly stream: number;
  readonly n: number;
  outcome: "open" | "written" | "refused" | "taken back";
}

t.test(`seed ${seed}`, async (t) => {
  const next = random(seed);
  const appender = createAppender(db, { batchesInFlight: 3, maxBatch: 20, waiting: 2 });
  const calls: Call[] = [];
  const promises: Promise<void>[] = [];
  let isOver = false;

  async function holdSomething(): Promise<void> {
    while (!isOver) {
      await db.transaction(async (tx) => {
        const first = next(streams);
        for (const stream of new Set([first, next(streams)])) {
          // in any order: other holders skip what is taken rather than wait for each other
          const [row] = await tx.query(
            "select from daybook.stream_heads where stream_id = $1 for no key update skip locked",
            [`random-${stream}`],
          );
          if (row) await append(tx, { streamId: `random-${stream}`, events: { type: "Held", data: {} } });
        }
        await delay(next(40));
      });
    }
  }

  function call(): void {
    const made: Call = { stream: next(streams), n: calls.length, outcome: "open" };
    calls.push(made);
    const kinds: readonly Partial<AppendInput>[] = [
      {},
      {},
      {},
      { idempotencyKey: `k${made.n}` },
      { expectedVersion: 1_000_000 },
      { expectedVersion: "exists" },
    ];
    const controller = new AbortController();
    const withSignal = next(8) === 0;
    if (withSignal) setTimeout(() => controller.abort(new Error("taken back")), next(30));
    const promise = appender.append(
      {
        streamId: `random-${made.stream}`,
        events: { type: "Called", data: { n: made.n } },
        ...kinds[next(kinds.length)],
      },
      withSignal ? { signal: controller.signal } : {},
    );
    promises.push(
      promise.then(
        () => {
          made.outcome = "written";
        },
        (error) => {
          made.outcome = error.message === "taken back" ? "taken back" : "refused";
          if (made.outcome === "refused" && error.code !== "YD001") t.fail(String(error));
        },
      ),
    );
  }

  for (let stream = 0; stream < streams; stream += 1) {
    await append(db, { streamId: `random-${stream}`, events: { type: "Made", data: {} } });
  }
  const holders = [holdSomething(), holdSomething(), holdSomething()];
  for (let round = 0; round < 150; round += 1) {
    for (let i = next(25); i > 0; i -= 1) call();
    await delay(next(5));
  }
  isOver = true;
  await Promise.all(holders);
  await appender.close();
  await Promise.all(promises);

  const kinds = new Map<string, number>();
  for (const { outcome } of calls) kinds.set(outcome, (kinds.get(outcome) ?? 0) + 1);
  t.comment(Object.fromEntries(kinds));
  t.ok((kinds.get("written") ?? 0) > 500);
  t.equal(kinds.get("open"), undefined);
  for (let stream = 0; stream < streams; stream += 1) {
    const events = await readStream(db, { streamId: `random-${stream}`, maxCount: 100_000 });
    t.same(
      events.flatMap((event) => (event.type === "Called" ? [event.data.n] : [])),
      calls.filter((made) => made.stream === stream && made.outcome === "written").map((made) => made.n),
      `random-${stream}: each once, in the order of the calls`,
    );
  }
});
