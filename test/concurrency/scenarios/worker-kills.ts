import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { type Random, random } from "../support/random.ts";
import { type Session, withSessions } from "../support/sessions.ts";
import type { Scenario } from "./scenario.ts";

const PROGRAM = fileURLToPath(new URL("./worker-program.ts", import.meta.url));
const STREAMS = 20;
const WORKERS = 2;
/** How long workers live between two kills, in milliseconds. */
const LIFE = { least: 20, most: 700 };
/** How long they may take for the rest, in milliseconds. */
const PATIENCE = 120_000;

/** Where effects are written: inside the handler's transaction each is there once; outside, at least once. */
const EXACTLY_ONCE = ["effects", "batch_effects"];
const AT_LEAST_ONCE = ["seen", "sent"];

/** Law 9 and 10: what a killed worker leaves behind. */
export const workerKills: Scenario = {
  name: "worker-kills",
  summary:
    "workers are killed at any moment: effects in the handler's transaction are there once, others at least once and in order per stream, nothing is lost",
  unit: "kills",
  sizes: { test: 20, stress: 200 },
  needs: "database",
  run: ({ url, seed, size, note }) =>
    withSessions(url, async (open) => {
      const session = await open();
      for (const table of [...EXACTLY_ONCE, ...AT_LEAST_ONCE]) {
        await session.rows(`create table ${table} (place bigserial, stream_id text, version bigint)`);
      }
      const choices = random(seed);
      const stop = new AbortController();
      const workers = new Workers(url, choices.fork(2));
      let writing = Promise.resolve(0);
      try {
        // a route is given what is appended from its making on
        await workers.start();
        writing = write(await open(), choices.fork(1), stop.signal);
        for (let kill = 1; kill <= size; kill += 1) {
          await sleep(choices.between(LIFE.least, LIFE.most));
          await workers.replaceOne();
          if (kill % 20 === 0) note(`${kill} kills`);
        }
        stop.abort();
        const appended = await writing;
        const rest = await untilDone(session, appended);
        const violations = [...rest, ...(await onceViolations(session)), ...(await orderViolations(session))];
        const repeated = await session.value<number>(
          "select (select count(*) from seen) - (select count(distinct (stream_id, version)) from seen)",
        );
        return { violations, facts: { kills: size, events: appended, "repeated outside": Number(repeated) } };
      } finally {
        stop.abort();
        await writing;
        workers.killAll();
      }
    }),
};

/** Worker processes, of which one is killed now and then and another one takes its place. */
class Workers {
  readonly #url: string;
  readonly #choices: Random;
  readonly #running: ChildProcess[] = [];

  constructor(url: string, choices: Random) {
    this.#url = url;
    this.#choices = choices;
  }

  async start(): Promise<void> {
    while (this.#running.length < WORKERS) this.#running.push(this.#launch());
    await Promise.all(this.#running.map((child) => once(child, "message")));
  }

  /** The new one is not waited for: it may be killed while it starts. */
  async replaceOne(): Promise<void> {
    const [child] = this.#running.splice(this.#choices.below(this.#running.length), 1);
    child?.kill("SIGKILL");
    this.#running.push(this.#launch());
  }

  killAll(): void {
    for (const child of this.#running) child.kill("SIGKILL");
  }

  #launch(): ChildProcess {
    return fork(PROGRAM, [this.#url, String(this.#choices.below(2 ** 31))], { stdio: "inherit" });
  }
}

/** Appends until it is told to stop; how many events. */
async function write(session: Session, choices: Random, signal: AbortSignal): Promise<number> {
  let count = 0;
  while (!signal.aborted) {
    const events = choices.between(1, 5);
    await session.rows(
      'select daybook.append($1, (select jsonb_agg(\'{"type": "T"}\'::jsonb) from generate_series(1, $2::int)))',
      [`worked-${choices.below(STREAMS)}`, events],
    );
    count += events;
    await sleep(choices.between(0, 20));
  }
  return count;
}

/** Waits until everything has come through; what has not, after a while. */
async function untilDone(session: Session, appended: number): Promise<string[]> {
  const missing = async () => {
    const found: { table: string; count: number }[] = [];
    for (const table of [...EXACTLY_ONCE, ...AT_LEAST_ONCE]) {
      const text = `select count(distinct (stream_id, version)) from ${table}`;
      found.push({ table, count: Number(await session.value<number>(text)) });
    }
    return found.filter(({ count }) => count !== appended);
  };
  const end = performance.now() + PATIENCE;
  let rest = await missing();
  while (rest.length > 0 && performance.now() < end) {
    await sleep(100);
    rest = await missing();
  }
  return rest.map(({ table, count }) => `${table} has ${count} of ${appended} events`);
}

async function onceViolations(session: Session): Promise<string[]> {
  const found: string[] = [];
  for (const table of EXACTLY_ONCE) {
    found.push(
      ...(await session.column<string>(
        `select '${table} has ' || stream_id || ' ' || version || ' ' || count(*) || ' times' from ${table}
          group by stream_id, version having count(*) > 1 limit 5`,
      )),
    );
  }
  return found;
}

/** First occurrences are in order, in each stream. */
async function orderViolations(session: Session): Promise<string[]> {
  const found: string[] = [];
  for (const table of [...EXACTLY_ONCE, ...AT_LEAST_ONCE]) {
    found.push(
      ...(await session.column<string>(
        `select '${table} has ' || stream_id || ' ' || version || ' before ' || version - 1
           from (select stream_id, version, min(place) as place,
                        lag(min(place)) over (partition by stream_id order by version) as before
                   from ${table} group by stream_id, version) f
          where place < before limit 5`,
      )),
    );
  }
  return found;
}
