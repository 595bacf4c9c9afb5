import { append, appendBatch, appendEvent, appendStreams, type Call, type Entry } from "../support/calls.ts";
import { logViolations } from "../support/log.ts";
import { type Random, random } from "../support/random.ts";
import { type Session, sqlState, withSessions } from "../support/sessions.ts";
import type { Scenario } from "./scenario.ts";

const WRITERS = 16;
const STREAMS = Array.from({ length: 12 }, (_, i) => `overlap-${i}`);

/** Several streams in one append are locked in one order by everybody. */
export const overlappingStreams: Scenario = {
  name: "overlapping-streams",
  summary: "multi-stream appends over the same streams in random order, checks, batches and new streams: no deadlock",
  unit: "seconds",
  sizes: { test: 5, stress: 60 },
  needs: "database",
  run: ({ url, seed, size }) =>
    withSessions(url, async (open) => {
      const monitor = await open();
      const outcomes: Record<string, number> = {};
      const until = Date.now() + size * 1000;
      const writers: Promise<void>[] = [];
      for (let i = 0; i < WRITERS; i += 1) {
        writers.push(write(await open(), random(seed).fork(i), until, outcomes));
      }
      await Promise.all(writers);
      const { ok = 0, YD001 = 0, ...others } = outcomes;
      const events = await monitor.value<number>("select count(*) from daybook.event_log");
      return {
        violations: [
          ...Object.entries(others).map(([code, count]) => `${count} appends failed with ${code}`),
          ...(await logViolations(monitor)),
        ],
        facts: { appends: ok, conflicts: YD001, deadlocks: others["40P01"] ?? 0, events },
      };
    }),
};

async function write(session: Session, random: Random, until: number, outcomes: Record<string, number>): Promise<void> {
  while (Date.now() < until) {
    const { text, values } = call(random, until - Date.now());
    const outcome = await session.rows(text, values).then(
      (rows) => rows.find((row) => row.status === "failed")?.error,
      (error: unknown) => ({ code: sqlState(error) }),
    );
    const code = isError(outcome) ? outcome.code : "ok";
    outcomes[code] = (outcomes[code] ?? 0) + 1;
  }
}

function isError(outcome: unknown): outcome is { code: string } {
  return typeof outcome === "object" && outcome !== null && "code" in outcome && typeof outcome.code === "string";
}

function call(random: Random, left: number): Call {
  // Streams that come into being while several reach for them: others every few milliseconds.
  const fresh = Array.from({ length: 4 }, (_, i) => `overlap-new-${Math.floor(left / 20)}-${i}`);
  const entries = (): Entry[] =>
    random
      .some([...STREAMS, ...fresh], random.between(2, 6))
      .map((stream) => ({ stream, count: random.between(1, 2) }));
  const [one = { stream: "overlap-0" }] = entries();
  return random.pick([
    () => appendStreams(...entries()),
    () => appendStreams(...entries()),
    () => appendStreams(...entries().map((entry, i) => (i % 2 === 0 ? entry : { ...entry, count: 0, expected: -1 }))),
    () => appendStreams(...entries().map((entry, i) => (i === 0 ? { ...entry, expected: 0 } : entry))),
    () => appendBatch(...entries()),
    () => appendBatch(...entries().map((entry, i) => (i === 0 ? { ...entry, expected: 1 } : entry))),
    () => appendEvent(one),
    () => append(one),
  ])();
}
