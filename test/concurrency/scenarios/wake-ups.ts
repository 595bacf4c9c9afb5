import { setTimeout as sleep } from "node:timers/promises";
import pg from "pg";
import { defineHandler, startWorker } from "../../../src/index.ts";
import { random } from "../support/random.ts";
import { withSessions } from "../support/sessions.ts";
import { watchStalls } from "../support/stalls.ts";
import type { Scenario } from "./scenario.ts";

/** How soon an event is to be handled, in milliseconds. */
const SOON = 100;
/** A wake-up that is lost is made up for by the safety poll, a minute away, or by the next append. */
const LOST = 900;
/** Statements, and turns of processes, from a commit to a handler: each may have to wait for its turn on the machine. */
const STEPS = 10;
/** The share of tries that may be repeated because the machine stalled. */
const REPEATED = 0.1;

/**
 * Law 2: whoever sleeps is woken. Counted is the time from the answer to the commit until the handler is called, both in
 * this process, whose worker is the only one.
 *
 * A try that takes LOST ms counts as a lost wake-up and breaks the promise, whatever the machine does. One that takes more
 * than SOON breaks it, too, unless stalls of the machine that were seen meanwhile (see `watchStalls`) explain it, were each
 * of the STEPS held up by one: then it is counted as such and tried again, and the promise is broken only where that is
 * more than a small share of all tries.
 */
export const wakeUps: Scenario = {
  name: "wake-ups",
  summary: `an append to an idle store is handled within ${SOON} ms of its commit, with the safety poll a minute away`,
  unit: "appends",
  sizes: { test: 500, stress: 10_000 },
  needs: "database",
  run: ({ url, seed, size, note }) =>
    withSessions(url, async (open) => {
      const session = await open();
      const stalls = watchStalls(await open());
      const choices = random(seed);
      const ids = choices.fork(1);
      const waiting = new Map<string, (at: number) => void>();
      const pool = new pg.Pool({ connectionString: url, max: 6 });
      pool.on("error", () => undefined);
      const handler = defineHandler({
        name: "awake",
        subscribesTo: ["*"],
        from: "now",
        async handle(event) {
          waiting.get(event.eventId)?.(performance.now());
        },
      });
      /** Milliseconds from the commit's answer to the handler; LOST where it is not called by then. */
      const append = async (stream: string): Promise<number> => {
        const id = ids.uuid();
        const handled = new Promise<number>((resolve) => waiting.set(id, resolve));
        await session.rows("select daybook.append_event($1, 'Woken', event_id => $2)", [stream, id]);
        const committed = performance.now();
        const at = await Promise.race([handled, sleep(LOST, Number.POSITIVE_INFINITY)]);
        waiting.delete(id);
        return Math.min(Math.max(at - committed, 0), LOST);
      };
      const worker = await startWorker({ db: pool, directUrl: url, handlers: [handler], safetyPoll: 60_000 });
      const broken: string[] = [];
      let [inTime, repeated, lost, slowest] = [0, 0, 0, 0];
      const most = Math.max(3, Math.floor(size * REPEATED));
      try {
        await sleep(500);
        for (let i = 1; i <= size && repeated <= most; ) {
          stalls.reset();
          const took = await append(`woken-${i % 50}`);
          const stall = await stalls.longest();
          slowest = Math.max(slowest, took);
          const isExcused = took > SOON && took < LOST && took <= STEPS * stall;
          if (took >= LOST) lost += 1;
          if (took <= SOON) inTime += 1;
          else if (isExcused) repeated += 1;
          else broken.push(`append ${i} was ${took >= LOST ? "lost" : `handled after ${took.toFixed()} ms`}`);
          // at once, while it falls asleep, and when it sleeps
          await sleep(choices.pick([0, choices.between(0, 15), choices.between(10, 60)]));
          if (!isExcused) i += 1;
          if (i % 1000 === 1 && i > 1 && !isExcused) note(`${i - 1} appends, ${inTime} in time, ${repeated} repeated`);
        }
      } finally {
        await stalls.stop();
        await worker.stop();
        await pool.end();
      }
      if (repeated > most) broken.push(`the machine stalls so often that nothing can be said: in ${repeated} tries`);
      return {
        violations: broken.slice(0, 10),
        facts: {
          appends: inTime + broken.length,
          [`within ${SOON} ms`]: inTime,
          lost,
          "repeated, as the machine stalled": repeated,
          "ms at most": Math.round(slowest),
        },
      };
    }),
};
