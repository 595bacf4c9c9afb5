import { run as runJobs } from "graphile-worker";
import pg from "pg";
import { defineRoute, drainRoute, functionTransport, registerRoute } from "../src/index.ts";
import { benchServer } from "./support/bench-server.ts";
import { median } from "./support/measure.ts";
import { benchOptions } from "./support/options.ts";
import { toRabbitmq } from "./support/rabbitmq-rate.ts";
import { type Row, report } from "./support/report.ts";

const options = benchOptions(`
npm run bench -- outbox

Draining the outbox into a function: messages per second; against one job of graphile-worker per message; the time per
message with a long backlog against a short one; and while a transaction elsewhere stays open, so that no dead row can
be removed. And into RabbitMQ, with publisher confirms, where it is installed.
`);

const server = await benchServer();
const pool = new pg.Pool({ connectionString: server.url, max: 12 });
const rounds = options.quick ? 3 : 7;
const messages = options.quick ? 5_000 : 20_000;
const backlog = options.quick ? 100_000 : 1_000_000;
let taken = 0;
const transport = functionTransport("function", async () => {
  taken += 1;
});

const [toFunction, ...ratios] = await againstJobs();
const found = [
  toFunction,
  await toRabbitmq(pool, rounds, messages),
  ...ratios,
  await longBacklog(),
  await openTransaction(),
];
const rows: Row[] = found.filter((row) => row !== undefined && row !== null);
await transport.close();
await pool.end();
await server.stop();
await report("outbox", server.words, rows, options);

/** A route of its own for each measurement; what is appended to its category is drained by it. */
async function route(name: string): Promise<void> {
  await registerRoute(pool, defineRoute({ name, transport: "function", categories: [name] }));
}

/** Appends so many events to streams of a category, a thousand in a call. */
async function fill(category: string, count: number): Promise<void> {
  const call = Math.min(count, 1000);
  for (let done = 0; done < count; done += call) {
    await pool.query(
      `select daybook.append($1 || '-' || $2, jsonb_agg(jsonb_build_object('type', 'Told', 'data', jsonb_build_object('n', n))))
         from generate_series(1, $3::int) n`,
      [category, (done / call) % 1000, call],
    );
  }
}

/** Drains so many messages, and says how many in a second. */
async function drained(name: string, count: number): Promise<number> {
  const started = performance.now();
  const before = taken;
  while (taken - before < count) await drainRoute(pool, { name }, transport, { budget: 200 });
  return (taken - before) / ((performance.now() - started) / 1000);
}

async function againstJobs(): Promise<Row[]> {
  await route("told");
  const outbox: number[] = [];
  const jobs: number[] = [];
  for (let round = -1; round < rounds; round += 1) {
    await fill("told", messages);
    const ours = await drained("told", messages);
    const theirs = await jobsPerSecond(Math.round(messages / 10));
    if (round < 0) continue;
    outbox.push(ours);
    jobs.push(theirs);
  }
  const perSecond = median(outbox);
  return [
    {
      measure: "outbox to a function, messages per second",
      ratio: perSecond,
      unit: "/s",
      bar: { atLeast: 10_000 },
      details: `${messages.toLocaleString("en")} messages a round`,
    },
    {
      measure: "the outbox against one job of graphile-worker per message",
      ratio: median(outbox.map((value, round) => value / (jobs[round] ?? Number.NaN))),
      unit: " ×",
      bar: { atLeast: 5 },
      details: `${Math.round(median(jobs)).toLocaleString("en")} jobs/s, 10 at a time`,
    },
  ];
}

/** Jobs of graphile-worker that do the same: take a message. */
async function jobsPerSecond(count: number): Promise<number> {
  let done = 0;
  const finished = Promise.withResolvers<void>();
  const task = async () => {
    done += 1;
    if (done === count) finished.resolve();
  };
  const runner = await runJobs({ pgPool: pool, concurrency: 10, noHandleSignals: true, taskList: { idle: task } });
  await runner.stop();
  await pool.query(
    `select count(j.id) from graphile_worker.add_jobs(array(
       select row('tell', json_build_object('n', n), null, null, null, null, null, null)::graphile_worker.job_spec
         from generate_series(1, $1::int) n)) j`,
    [count],
  );
  const started = performance.now();
  const worker = await runJobs({ pgPool: pool, concurrency: 10, noHandleSignals: true, taskList: { tell: task } });
  await finished.promise;
  const seconds = (performance.now() - started) / 1000;
  await worker.stop();
  return count / seconds;
}

async function longBacklog(): Promise<Row> {
  await route("long");
  await fill("long", backlog);
  await route("short");
  const long: number[] = [];
  const short: number[] = [];
  const sample = 10_000;
  for (let round = -1; round < rounds; round += 1) {
    const behind = await drained("long", sample);
    let few = 0;
    for (let part = 0; part < sample / 1000; part += 1) {
      await fill("short", 1000);
      few += 1000 / (await drained("short", 1000));
    }
    if (round < 0) continue;
    long.push(1 / behind);
    short.push(few / sample);
  }
  return {
    measure: `time per message with a backlog of ${backlog.toLocaleString("en")} against a backlog of a thousand`,
    ratio: median(long.map((value, round) => value / (short[round] ?? Number.NaN))),
    unit: " ×",
    bar: { atMost: 1.2 },
    details: `${(median(long) * 1e6).toFixed(0)} against ${(median(short) * 1e6).toFixed(0)} µs`,
  };
}

async function openTransaction(): Promise<Row> {
  await route("open");
  const withOne: number[] = [];
  const without: number[] = [];
  const stranger = new pg.Client(server.url);
  await stranger.connect();
  // a round takes an eighth of a second, in which a shared machine does as it likes
  for (let round = -1; round < rounds * 5; round += 1) {
    for (const isOpen of round % 2 === 0 ? [true, false] : [false, true]) {
      await fill("open", messages);
      if (isOpen) await stranger.query("begin isolation level repeatable read; select count(*) from daybook.cursors");
      const perSecond = await drained("open", messages);
      if (isOpen) await stranger.query("commit");
      if (round >= 0) (isOpen ? withOne : without).push(perSecond);
    }
  }
  await stranger.end();
  return {
    measure: "drain rate while a transaction elsewhere stays open, against without",
    ratio: median(withOne.map((value, round) => value / (without[round] ?? Number.NaN))),
    bar: { atLeast: 0.9 },
    details: `${Math.round(median(withOne)).toLocaleString("en")} against ${Math.round(median(without)).toLocaleString("en")}/s`,
  };
}
