import pg from "pg";
import {
  type DbLike,
  defineProjection,
  drainProjection,
  dropProjection,
  dropRebuild,
  type Projection,
  projectionStatus,
  rebuildProjection,
  registerProjection,
} from "../../src/index.ts";
import { createApplyFunctions, createTotals, totalsColumns, totalsSetup } from "../support/apply-functions.ts";
import type { BenchServer } from "../support/bench-server.ts";
import { filledLog } from "../support/fill-log.ts";
import { median } from "../support/measure.ts";
import type { BenchOptions } from "../support/options.ts";
import type { Row } from "../support/report.ts";

const streams = 1000;

/** Rebuilds over a long log: set-based, one event at a time, and by the same logic in TypeScript, which take turns. */
export async function rebuildRows(server: BenchServer, options: BenchOptions): Promise<Row[]> {
  const events = options.quick ? 200_000 : 1_000_000;
  const slice = options.quick ? 3000 : 10_000;
  const rounds = options.quick ? 2 : 5;
  const url = await server.database("rebuild", "daybook");
  const pool = new pg.Pool({ connectionString: url, max: 4 });
  const log = await filledLog(url, streams);
  await createApplyFunctions(pool);
  await createTotals(pool, { name: "totals", apply: "bench.totals" });
  await createTotals(pool, { name: "each", apply: "bench.each_total" });
  await log.fill(events);

  const batch: number[] = [];
  const each: number[] = [];
  const typescript: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    batch.push(await perSecond(() => rebuild(pool, "totals")));
    each.push(await begun(pool, "each", slice));
    typescript.push(await begunInTypeScript(pool, slice));
  }
  await checkTotals(pool, events);
  await pool.end();

  const absolute = (values: readonly number[]) => `${Math.round(median(values)).toLocaleString("en")}/s`;
  return [
    {
      measure: `rebuild of a counting, keyed projection (${streams.toLocaleString("en")} keys), ${events.toLocaleString("en")} events, set-based`,
      ratio: median(batch),
      unit: "/s",
      bar: { atLeast: 150_000 },
      details: `from rebuild_projection to the switch; ${rounds} rounds, from ${absolute([Math.min(...batch)])} to ${absolute([Math.max(...batch)])}`,
    },
    {
      measure: "the same against the same logic in a TypeScript batch handler",
      ratio: median(batch.map((value, round) => value / (typescript[round] ?? Number.NaN))),
      unit: " ×",
      bar: { atLeast: 3 },
      details: `TypeScript ${absolute(typescript)}, of the first ${slice / 1000} seconds`,
    },
    {
      measure: "the same, one event at a time in SQL",
      ratio: median(each),
      unit: "/s",
      bar: { atLeast: 25_000 },
      details: `of the first ${slice / 1000} seconds`,
    },
  ];
}

async function perSecond(work: () => Promise<number>): Promise<number> {
  const started = performance.now();
  const handled = await work();
  return (handled * 1000) / (performance.now() - started);
}

/** Builds a version, to the end of the log and the switch. */
async function rebuild(db: DbLike, name: string): Promise<number> {
  const version = await rebuildProjection(db, { name });
  for (let handled = 0; ; ) {
    handled += (await drainProjection(db, name, { name: `${name}@${version}` })).handled;
    if ((await projectionStatus(db, { name }))[0]?.version === version) return handled;
  }
}

/** The first milliseconds of a rebuild, which is given up then. */
async function begun(db: DbLike, name: string, budget: number): Promise<number> {
  const building = `${name}@${await rebuildProjection(db, { name })}`;
  const speed = await perSecond(async () => (await drainProjection(db, name, { name: building, budget })).handled);
  await dropRebuild(db, { name });
  return speed;
}

const inTypeScript: Projection = defineProjection<{ amount: number }>({
  name: "typescript",
  schema: "views_typescript",
  tables: { totals: totalsColumns },
  setup: totalsSetup,
  maxBatch: 1000,
  async handleBatch(events, { tx }) {
    const totals = new Map<string, { events: number; amount: number }>();
    for (const { streamId, data } of events) {
      const total = totals.get(streamId) ?? { events: 0, amount: 0 };
      totals.set(streamId, { events: total.events + 1, amount: total.amount + data.amount });
    }
    const accounts = [...totals.keys()].sort();
    await tx.query(
      `insert into totals as t (account, events, amount)
       select * from unnest($1::text[], $2::bigint[], $3::bigint[])
       on conflict (account) do update set events = t.events + excluded.events, amount = t.amount + excluded.amount`,
      [accounts, accounts.map((one) => totals.get(one)?.events), accounts.map((one) => totals.get(one)?.amount)],
      { name: "totals" },
    );
  },
});

async function begunInTypeScript(pool: pg.Pool, budget: number): Promise<number> {
  await pool.query(
    "create schema views_typescript; grant usage, create on schema views_typescript to daybook_projector",
  );
  await registerProjection(pool, inTypeScript);
  const speed = await perSecond(async () => (await drainProjection(pool, inTypeScript, { budget })).handled);
  await dropProjection(pool, { name: inTypeScript.name });
  await pool.query("drop schema views_typescript");
  return speed;
}

/** A bench of something that is wrong says nothing. */
async function checkTotals(pool: pg.Pool, events: number): Promise<void> {
  const { rows } = await pool.query("select sum(events)::text as events from views_totals.totals");
  if (rows[0].events !== String(events)) throw new Error(`${rows[0].events} events were counted, not ${events}`);
}
