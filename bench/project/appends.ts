import { setTimeout as delay } from "node:timers/promises";
import pg from "pg";
import { createApplyFunctions, createTotals, totalsColumns, totalsSetup } from "../support/apply-functions.ts";
import { bareColumns, bareRow, createBareTable } from "../support/bare.ts";
import type { BenchServer } from "../support/bench-server.ts";
import { type Measured, measure, median, ratio, type Variant } from "../support/measure.ts";
import type { BenchOptions } from "../support/options.ts";
import type { Row } from "../support/report.ts";
import { type WorkerChild, workerChild } from "../support/worker-child.ts";

const streams = 20_000;
const clients = 16;
const data = JSON.stringify({ amount: 100, currency: "EUR", note: "a deposit at the counter" });
const anyStream = () => 1 + Math.floor(Math.random() * streams);

/** What projections cost those who append. */
export async function appendRows(server: BenchServer, options: BenchOptions): Promise<Row[]> {
  return [...(await inlineRows(server, options)), await idleRow(server, options)];
}

/** A database for each, so that none pays for another's projection. */
async function inlineRows(server: BenchServer, { rounds, seconds }: BenchOptions): Promise<Row[]> {
  const stores = await Promise.all(["bare", "alone", "each", "batch"].map((name) => store(server, `inline_${name}`)));
  const [bare, alone, each, batch] = stores as [Store, Store, Store, Store];
  await createBareTable(bare.url);
  await bare.pool.query(`create table bare.totals (${totalsColumns}); ${totalsSetup.replace("totals", "bare.totals")}`);
  await createTotals(each.pool, { name: "totals", apply: "bench.each_total", mode: "inline" });
  await createTotals(batch.pool, { name: "totals", apply: "bench.totals", mode: "inline" });
  const { pool } = bare;
  const upsert: Variant = {
    name: "bare INSERT and upsert",
    clients,
    async run() {
      await pool.query({
        name: "bare",
        text: `with e as (insert into bare.events (${bareColumns}) values ${bareRow("$1", "$2", "$3")} returning stream_key, data)
               insert into bare.totals as t (account, events, amount)
               select 'account-' || e.stream_key, 1, (e.data ->> 'amount')::bigint from e
               on conflict (account) do update set events = t.events + excluded.events, amount = t.amount + excluded.amount`,
        values: [anyStream(), "MoneyDeposited", data],
      });
      return 1;
    },
  };
  const all = (await measure(
    [upsert, appends("one event at a time", each), appends("batch function", batch), appends("no projection", alone)],
    rounds,
    seconds,
  )) as [Measured, Measured, Measured, Measured];
  await Promise.all(stores.map((one) => one.pool.end()));
  const details = all
    .map((one) => `${one.name} ${Math.round(median(one.perSecond)).toLocaleString("en")}/s`)
    .join(", ");
  return [
    {
      measure: `appends with an inline projection of one upsert, against a bare INSERT and the same upsert in one statement, ${clients} clients`,
      ratio: ratio(all[1], all[0]),
      bar: { atLeast: 0.6 },
      details,
    },
    { measure: "the same, its apply function one for batches", ratio: ratio(all[2], all[0]), details: "" },
    { measure: "appends with it, against appends without", ratio: ratio(all[1], all[3]), details: "" },
  ];
}

/** A worker is attached to either; it has fallen asleep, as on an idle store. */
async function idleRow(server: BenchServer, { rounds, seconds }: BenchOptions): Promise<Row> {
  const stores = await Promise.all(["none", "ten"].map((name) => store(server, `idle_${name}`)));
  const [none, ten] = stores as [Store, Store];
  for (let i = 0; i < 10; i += 1)
    await createTotals(ten.pool, { name: `idle_${i}`, apply: "bench.totals", types: [`Never${i}`] });
  const workers: WorkerChild[] = stores.map(({ url }) => workerChild(url, []));
  for (const worker of workers) await worker.start();
  await delay(2000);
  const all = (await measure([appends("none", none), appends("ten", ten)], rounds, seconds)) as [Measured, Measured];
  for (const worker of workers) {
    await worker.stop();
    worker.end();
  }
  await Promise.all(stores.map((one) => one.pool.end()));
  return {
    measure: `appends with ten async projections that match nothing of what is appended, against none, a worker attached to both, ${clients} clients`,
    ratio: ratio(all[1], all[0]),
    bar: { atLeast: 0.95 },
    details: all.map((one) => `${one.name} ${Math.round(median(one.perSecond)).toLocaleString("en")}/s`).join(", "),
  };
}

interface Store {
  readonly url: string;
  readonly pool: pg.Pool;
}

async function store(server: BenchServer, name: string): Promise<Store> {
  const url = await server.database(name, "daybook");
  const pool = new pg.Pool({ connectionString: url, max: clients });
  await createApplyFunctions(pool);
  await pool.query(
    "select count(daybook.append_event('account-' || i, 'AccountOpened', '{\"amount\": 0}')) from generate_series(1, $1::int) i",
    [streams],
  );
  await pool.query("vacuum analyze");
  return { url, pool };
}

function appends(name: string, { pool }: Store): Variant {
  return {
    name,
    clients,
    async run() {
      await pool.query({
        name: "append",
        text: "select daybook.append_event($1, 'MoneyDeposited', $2)",
        values: [`account-${anyStream()}`, data],
      });
      return 1;
    },
  };
}
