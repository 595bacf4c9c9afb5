import { setTimeout as delay } from "node:timers/promises";
import pg from "pg";
import { defineHandler, startWorker } from "../src/index.ts";
import { benchServer } from "./support/bench-server.ts";
import { median, quantile } from "./support/measure.ts";
import { openLoop } from "./support/open-loop.ts";
import { benchOptions } from "./support/options.ts";
import { type Row, report } from "./support/report.ts";
import { workerChild } from "./support/worker-child.ts";

const options = benchOptions(`
npm run bench -- latency

From the commit of an append to the start of its handler, at 200 events a second; and the 99th percentile of appends at
a fixed 2,000 a second (open loop: an append is late from the moment it was due) while a handler in another process is
given every event, against no worker, in windows that take turns. The windows are short: a machine that stands still for
a moment, as shared ones do, spoils one of many.
`);

const server = await benchServer();
const pool = new pg.Pool({ connectionString: server.url, max: 24 });
await pool.query(
  "select count(daybook.append_event('account-' || i, 'AccountOpened')) from generate_series(1, 20000) i",
);
const rows: Row[] = [...(await handlingLatency()), await appendLatency()];
await pool.end();
await server.stop();
await report("latency", server.words, rows, options);

async function handlingLatency(): Promise<Row[]> {
  const committed = new Map<string, number>();
  const begun = new Map<string, number>();
  const handler = defineHandler({
    name: "latency",
    subscribesTo: ["Timed"],
    from: "now",
    async handle(event) {
      begun.set(String(event.position), performance.now());
    },
  });
  const worker = await startWorker({ db: pool, directUrl: server.url, handlers: [handler] });
  await delay(1000);
  await openLoop({
    perSecond: 200,
    seconds: options.quick ? 5 : 30,
    async run() {
      const { rows: found } = await pool.query({
        name: "timed",
        text: "select last_position from daybook.append_event($1, 'Timed')",
        values: [`account-${1 + Math.floor(Math.random() * 20_000)}`],
      });
      committed.set(String(found[0].last_position), performance.now());
    },
  });
  await delay(500);
  await worker.stop();
  const times = [...committed]
    .map(([position, at]) => (begun.get(position) ?? Number.POSITIVE_INFINITY) - at)
    .sort((a, b) => a - b);
  const details = `${times.length} events, the longest ${(times.at(-1) ?? 0).toFixed(1)} ms`;
  return [
    {
      measure: "commit of an append to the start of its handler, 200 events a second, p50",
      ratio: Math.max(0, quantile(times, 0.5)),
      unit: " ms",
      bar: { atMost: 10 },
      details,
    },
    { measure: "the same, p99", ratio: quantile(times, 0.99), unit: " ms", bar: { atMost: 50 }, details: "" },
  ];
}

async function appendLatency(): Promise<Row> {
  const worker = workerChild(server.url, [{ name: "every-event", types: ["MoneyDeposited"] }]);
  const attached: number[] = [];
  const alone: number[] = [];
  const pairs = options.quick ? 2 : 31;
  // the first pair warms up: a process that has just begun compiles its code
  for (let pair = -1; pair < pairs; pair += 1) {
    for (const isAttached of pair % 2 === 0 ? [true, false] : [false, true]) {
      if (isAttached) await worker.start();
      // begun, caught up, and asleep
      await delay(2000);
      const times = await openLoop({
        perSecond: 2000,
        seconds: 2,
        run: () =>
          pool.query({
            name: "append",
            text: "select daybook.append_event($1, 'MoneyDeposited', $2)",
            values: [`account-${1 + Math.floor(Math.random() * 20_000)}`, '{"amount": 100}'],
          }),
      });
      if (pair >= 0) (isAttached ? attached : alone).push(quantile(times, 0.99));
      if (isAttached) await worker.stop();
    }
  }
  worker.end();
  return {
    measure: "p99 of an append at 2,000 a second while a handler is given every event, against no worker",
    ratio: median(attached) / median(alone),
    unit: " ×",
    bar: { atMost: 1.5 },
    details: `${median(attached).toFixed(2)} against ${median(alone).toFixed(2)} ms, medians of ${attached.length} windows`,
  };
}
