import pg from "pg";
import {
  defineHandler,
  defineRoute,
  drainHandler,
  drainRoute,
  fromPg,
  functionTransport,
  type Handler,
  readAll,
  registerHandler,
  registerRoute,
  type StoredEvent,
} from "../src/index.ts";
import { benchServer } from "./support/bench-server.ts";
import { type Measured, measure, median, ratio, type Variant } from "./support/measure.ts";
import { benchOptions } from "./support/options.ts";
import { type Row, report } from "./support/report.ts";

const options = benchOptions(`
npm run bench -- drain

A handler that writes one row for each event, in the transaction in which its position moves, over a log of 100,000 events:
event by event, and in batches with one multi-row INSERT. Beside it the same INSERTs by hand, in transactions of as many, with
nothing but a read of the log: what is left is Daybook's own. Then a route to a function.
`);

const events = options.quick ? 20_000 : 100_000;
const batch = 500;

const server = await benchServer();
const pool = new pg.Pool({ connectionString: server.url, max: 8 });
const db = fromPg(pool);
await pool.query("create table effects (handler text, position bigint, stream_id text, amount integer)");
const route = defineRoute({ name: "out", transport: "function", topic: "{category}", maxBatch: batch });
await registerRoute(pool, route);
await pool.query(
  `select count(*) from generate_series(0, $1::int / 100 - 1) b
    cross join lateral daybook.append('account-' || (b * 7919) % 1000, (
      select jsonb_agg(jsonb_build_object('type', 'MoneyDeposited', 'data', jsonb_build_object('amount', i, 'currency', 'EUR')))
        from generate_series(1, 100) i)) a`,
  [events],
);
await pool.query("vacuum analyze");

const insertText = "insert into effects (handler, position, stream_id, amount) values ($1, $2, $3, $4)";
const insert = (tx: { query: typeof db.query }, handler: string, event: StoredEvent) =>
  tx.query(insertText, [handler, event.position, event.streamId, Number(event.data.amount)], { name: "effect" });
const insertManyText = `insert into effects (handler, position, stream_id, amount)
  select $1, * from unnest($2::bigint[], $3::text[], $4::int[])`;
const insertMany = (tx: { query: typeof db.query }, handler: string, many: readonly StoredEvent[]) =>
  tx.query(
    insertManyText,
    [
      handler,
      many.map(({ position }) => position),
      many.map(({ streamId }) => streamId),
      many.map(({ data }) => Number(data.amount)),
    ],
    { name: "effects" },
  );

const each = defineHandler({
  name: "each",
  subscribesTo: ["*"],
  maxBatch: batch,
  async handle(event, { tx, handler }) {
    await insert(tx, handler, event);
  },
});
const many = defineHandler({
  name: "many",
  subscribesTo: ["*"],
  maxBatch: batch,
  async handleBatch(all, { tx, handler }) {
    await insertMany(tx, handler, all);
  },
});
const idle = defineHandler({ name: "idle", subscribesTo: ["*"], maxBatch: batch, handle: () => undefined });
for (const handler of [each, many, idle]) await registerHandler(pool, handler);

/** One batch; at the end of the log, from its start again. */
function handlerVariant(name: string, handler: Handler): Variant {
  return {
    name,
    clients: 1,
    async run() {
      const { handled } = await drainHandler(db, handler, { budget: 0, maxBatchTime: 60_000 });
      if (handled === 0) await rewind("handler", handler.name);
      return handled;
    },
  };
}

async function rewind(kind: string, name: string): Promise<void> {
  await pool.query("update daybook.cursors set position = 0 where kind = $1 and name = $2", [kind, name]);
  await pool.query("truncate effects");
}

/** The same rows in transactions as long, and the same reading. */
function byHand(name: string, write: (tx: typeof db, page: readonly StoredEvent[]) => Promise<void>): Variant {
  let position = 0n;
  return {
    name,
    clients: 1,
    async run() {
      const page = await db.transaction(async (tx) => {
        const read = await readAll(tx, { afterPosition: position, maxCount: batch });
        await write(tx, read);
        return read;
      });
      position = page.length < batch ? 0n : (page.at(-1)?.position ?? 0n);
      return page.length;
    },
  };
}

const sent: unknown[] = [];
const transport = functionTransport("function", (message) => {
  sent[0] = message;
});
const outbox: Variant = {
  name: "route to a function",
  clients: 1,
  async run() {
    const { handled } = await drainRoute(db, route, transport, { budget: 0 });
    if (handled === 0) await rewind("route", route.name);
    return handled;
  },
};

const { rounds, seconds } = options;
const figures = (all: readonly Measured[]) =>
  all.map(({ name, perSecond }) => `${name} ${Math.round(median(perSecond)).toLocaleString("en")}/s`).join(", ");
/** Milliseconds an event takes longer. */
const overhead = (a: Measured, b: Measured) =>
  median(a.perSecond.map((value, round) => 1000 / value - 1000 / (b.perSecond[round] ?? Number.NaN)));
const rows: Row[] = [];

const single = (await measure(
  [
    byHand("by hand", async (tx, page) => {
      for (const event of page) await insert(tx, "by hand", event);
    }),
    handlerVariant("handle", each),
    handlerVariant("handle that does nothing", idle),
  ],
  rounds,
  seconds,
)) as [Measured, Measured, Measured];
rows.push(
  {
    measure: "events a second, one row written for each, `handle`",
    ratio: median(single[1].perSecond),
    unit: "/s",
    bar: { atLeast: 5000 },
    details: figures(single),
  },
  { measure: "the same against the INSERTs by hand", ratio: ratio(single[1], single[0]), details: "" },
  {
    measure: "own overhead: what an event takes in a handler that does nothing",
    ratio: median(single[2].perSecond.map((value) => 1000 / value)),
    unit: " ms",
    bar: { atMost: 1 },
    details: `longer than by hand: ${overhead(single[1], single[0]).toFixed(4)} ms`,
  },
);

const batches = (await measure(
  [
    byHand("by hand", (tx, page) => insertMany(tx, "by hand", page).then(() => undefined)),
    handlerVariant("handleBatch", many),
  ],
  rounds,
  seconds,
)) as [Measured, Measured];
rows.push(
  {
    measure: `events a second, one row written for each, \`handleBatch\` of ${batch}`,
    ratio: median(batches[1].perSecond),
    unit: "/s",
    bar: { atLeast: 20_000 },
    details: figures(batches),
  },
  { measure: "the same against the INSERTs by hand", ratio: ratio(batches[1], batches[0]), details: "" },
);

const [out] = (await measure([outbox], rounds, seconds)) as [Measured];
rows.push({
  measure: "messages a second, outbox to a function",
  ratio: median(out.perSecond),
  unit: "/s",
  bar: { atLeast: 10_000 },
  details: `batches of ${batch}`,
});

await transport.close();
await pool.end();
await server.stop();
await report("drain", server.words, rows, options);
