import { setTimeout as delay } from "node:timers/promises";
import pg from "pg";
import { benchServer } from "./support/bench-server.ts";
import { median } from "./support/measure.ts";
import { benchOptions } from "./support/options.ts";
import { report } from "./support/report.ts";
import { workerChild } from "./support/worker-child.ts";

const options = benchOptions(`
npm run bench -- wake

What a worker costs those who append: appends by 16 clients with a worker attached whose ten handlers match nothing of
what is appended, against the same without any worker. Pairs of windows, the order alternating.
`);

const clients = 16;
const pairs = options.quick ? 3 : 10;
const window = options.quick ? 1 : 3;
const server = await benchServer();
const connections = await Promise.all(
  Array.from({ length: clients }, async () => {
    const client = new pg.Client(server.url);
    await client.connect();
    return client;
  }),
);
await connections[0]?.query(
  "select count(daybook.append_event('account-' || i, 'AccountOpened')) from generate_series(1, 20000) i",
);
const worker = workerChild(
  server.url,
  Array.from({ length: 10 }, (_, i) => ({ name: `follower-${i}`, types: [`Never${i}`] })),
);

const attached: number[] = [];
const alone: number[] = [];
await appends(1);
for (let pair = 0; pair < pairs; pair += 1) {
  for (const isAttached of pair % 2 === 0 ? [true, false] : [false, true]) {
    if (isAttached) await worker.start();
    // it has fallen asleep, as on an idle store
    await delay(500);
    (isAttached ? attached : alone).push(await appends(window));
    if (isAttached) await worker.stop();
  }
}
worker.end();
await Promise.all(connections.map((client) => client.end()));
await server.stop();

const ratio = median(attached.map((value, pair) => value / (alone[pair] ?? Number.NaN)));
const perSecond = (values: readonly number[]) => `${Math.round(median(values)).toLocaleString("en")}/s`;
await report(
  "wake",
  server.words,
  [
    {
      measure: `appends by ${clients} clients with a worker attached whose ten handlers match nothing, against none`,
      ratio,
      bar: { atLeast: 0.9 },
      details: `${perSecond(attached)} against ${perSecond(alone)}, ${pairs} pairs`,
    },
  ],
  options,
);

/** Appends for so many seconds; how many in each. */
async function appends(seconds: number): Promise<number> {
  const started = performance.now();
  const end = started + seconds * 1000;
  let count = 0;
  await Promise.all(
    connections.map(async (client) => {
      while (performance.now() < end) {
        await client.query({
          name: "append",
          text: "select daybook.append_event($1, 'MoneyDeposited', $2)",
          values: [`account-${1 + Math.floor(Math.random() * 20_000)}`, '{"amount": 100}'],
        });
        count += 1;
      }
    }),
  );
  return count / ((performance.now() - started) / 1000);
}
