import pg from "pg";
import { createAppender, createEvent, fromPg } from "../src/index.ts";
import { bareColumns, bareRow, createBareTable } from "./support/bare.ts";
import { benchServer } from "./support/bench-server.ts";
import { type Measured, measure, quantile, ratio, type Variant } from "./support/measure.ts";
import { benchOptions } from "./support/options.ts";
import { type Row, report } from "./support/report.ts";

const options = benchOptions(`
npm run bench -- append

Appends to ${(20_000).toLocaleString("en")} streams on an embedded PostgreSQL with durable commits. Each figure is a ratio
to a bare INSERT of the same row into a table with the same columns, indexes and partitions, or to message-db, through
the same number of connections, taking turns in one run.
`);

const streams = 20_000;
const type = "MoneyDeposited";
const payload = { amount: 100, currency: "EUR", note: "a deposit at the counter" };
const data = JSON.stringify(payload);
const anyStream = () => 1 + Math.floor(Math.random() * streams);

const server = await benchServer();
await createBareTable(server.url);
const messageDb = await server.database("message_store", "message-db");
const pool = new pg.Pool({ connectionString: server.url, max: 16 });
await pool.query(
  "select count(daybook.append_event('account-' || i, 'AccountOpened')) from generate_series(1, $1::int) i",
  [streams],
);
await pool.query("vacuum analyze");

async function connections(url: string, count: number, setup?: string) {
  return Promise.all(
    Array.from({ length: count }, async () => {
      const client = new pg.Client(url);
      await client.connect();
      if (setup) await client.query(setup);
      return client;
    }),
  );
}

const ours = await connections(server.url, 16);
const theirs = await connections(messageDb, 16, "set search_path = message_store, public");

function statement(
  name: string,
  clients: number,
  on: pg.Client[],
  text: string,
  values: () => unknown[],
  units = 1,
): Variant {
  return {
    name,
    clients,
    async run(worker) {
      await on[worker]?.query({ name, text, values: values() });
      return units;
    },
  };
}

const bare = (n: number) =>
  statement(
    "bare INSERT",
    n,
    ours,
    `insert into bare.events (${bareColumns}) values ${bareRow("$1", "$2", "$3")}`,
    () => [anyStream(), type, data],
  );
const appendEvent = (n: number) =>
  statement("append_event", n, ours, "select daybook.append_event($1, $2, $3)", () => [
    `account-${anyStream()}`,
    type,
    data,
  ]);
const append = (n: number) =>
  statement("append", n, ours, "select daybook.append($1, $2)", () => [
    `account-${anyStream()}`,
    `[{"type":"${type}","data":${data}}]`,
  ]);
const writeMessage = (n: number) =>
  statement("message-db", n, theirs, "select write_message(gen_random_uuid()::text, $1, $2, $3)", () => [
    `account-${anyStream()}`,
    type,
    data,
  ]);

const batch = JSON.stringify(Array.from({ length: 100 }, () => ({ type, data: payload })));
const hundred = Array.from({ length: 100 }, (_, i) => bareRow("$1", `$${2 * i + 2}`, `$${2 * i + 3}`)).join(", ");
const append100 = statement(
  "append of 100",
  1,
  ours,
  "select daybook.append($1, $2)",
  () => [`account-${anyStream()}`, batch],
  100,
);
const bare100 = statement(
  "bare INSERT of 100",
  1,
  ours,
  `insert into bare.events (${bareColumns}) values ${hundred}`,
  () => [anyStream(), ...Array.from({ length: 100 }, () => [type, data]).flat()],
  100,
);

const poolSize = 8;
const small = new pg.Pool({ connectionString: server.url, max: poolSize });
const appender = createAppender(fromPg(small));
const grouped: Variant = {
  name: "appender",
  clients: 64,
  async run() {
    await appender.append({ streamId: `account-${anyStream()}`, events: { type, data: payload } });
    return 1;
  },
};
const pooled: Variant = {
  name: "bare INSERT through the pool",
  clients: 64,
  async run() {
    await small.query({
      name: "bare",
      text: `insert into bare.events (${bareColumns}) values ${bareRow("$1", "$2", "$3")}`,
      values: [anyStream(), type, data],
    });
    return 1;
  },
};

const rows: Row[] = [];
const { rounds, seconds } = options;
const perSecond = (one: Measured) =>
  `${one.name} ${Math.round(
    quantile(
      [...one.perSecond].sort((a, b) => a - b),
      0.5,
    ),
  ).toLocaleString("en")}/s`;
const details = (all: readonly Measured[]) => all.map(perSecond).join(", ");

for (const [clients, atLeast] of [
  [1, 0.75],
  [16, 0.67],
] as const) {
  const all = await measure(
    [bare(clients), appendEvent(clients), append(clients), writeMessage(clients)],
    rounds,
    seconds,
  );
  const [first, event, json, other] = all as [Measured, Measured, Measured, Measured];
  const word = clients === 1 ? "1 client" : `${clients} clients`;
  rows.push(
    {
      measure: `one event, \`append_event\`, against a bare INSERT, ${word}`,
      ratio: ratio(event, first),
      bar: { atLeast },
      details: details(all),
    },
    {
      measure: `the same through \`append\` and its JSON, ${word}`,
      ratio: ratio(json, first),
      bar: { atLeast },
      details: "",
    },
  );
  if (clients === 16) {
    rows.push({
      measure: "one event against message-db's write_message, one category, 16 clients",
      ratio: ratio(event, other),
      unit: " ×",
      bar: { atLeast: 2.5 },
      details: "",
    });
  } else {
    rows.push({
      measure: "append with its transaction, one client, p50",
      ratio: quantile(event.latencies, 0.5),
      unit: " ms",
      bar: { atMost: 2 },
      details: `p99 ${quantile(event.latencies, 0.99).toFixed(2)} ms`,
    });
  }
}

const many = (await measure([bare100, append100], rounds, seconds)) as [Measured, Measured];
rows.push({
  measure: "100 events in one call, against a multi-row INSERT of 100",
  ratio: ratio(many[1], many[0]),
  bar: { atLeast: 0.7 },
  details: details(many),
});

const group = (await measure([pooled, grouped], rounds, seconds)) as [Measured, Measured];
rows.push({
  measure: `group commit, 64 concurrent callers, against bare INSERTs through the same pool of ${poolSize}`,
  ratio: ratio(group[1], group[0]),
  unit: " ×",
  bar: { atLeast: 2 },
  details: `${details(group)}; p99 ${quantile(group[1].latencies, 0.99).toFixed(1)} against ${quantile(group[0].latencies, 0.99).toFixed(1)} ms`,
});

const creating = createMany(options.quick ? 20_000 : 200_000);
rows.push({
  measure: "creating and validating an event in TypeScript, mean",
  ratio: creating.mean,
  unit: " ms",
  bar: { atMost: 0.1 },
  details: `p99 ${creating.p99.toFixed(4)} ms`,
});

await appender.close();
await Promise.all([...ours, ...theirs].map((client) => client.end()));
await Promise.all([pool.end(), small.end()]);
await server.stop();
await report("append", server.words, rows, options);

function createMany(count: number): { mean: number; p99: number } {
  const times: number[] = [];
  for (let i = 0; i < count; i++) {
    const started = performance.now();
    createEvent({ type, data: { ...payload, amount: i }, metadata: { actor: "teller-7" } });
    times.push(performance.now() - started);
  }
  times.sort((a, b) => a - b);
  return { mean: times.reduce((sum, one) => sum + one, 0) / count, p99: quantile(times, 0.99) };
}
