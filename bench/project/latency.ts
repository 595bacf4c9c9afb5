import { setTimeout as delay } from "node:timers/promises";
import pg from "pg";
import { createApplyFunctions, createTotals } from "../support/apply-functions.ts";
import type { BenchServer } from "../support/bench-server.ts";
import { quantile } from "../support/measure.ts";
import { openLoop } from "../support/open-loop.ts";
import type { BenchOptions } from "../support/options.ts";
import type { Row } from "../support/report.ts";
import { workerChild } from "../support/worker-child.ts";

const streams = 20_000;

/**
 * From the return of an append to the moment at which a reader sees its row, with a worker in a process of its own. The
 * reader asks every millisecond or so how far the rows go: the position moves in their transaction.
 */
export async function latencyRows(server: BenchServer, options: BenchOptions): Promise<Row[]> {
  const seconds = options.quick ? 5 : 30;
  const url = await server.database("latency", "daybook");
  const pool = new pg.Pool({ connectionString: url, max: 24 });
  await createApplyFunctions(pool);
  await createTotals(pool, { name: "totals", apply: "bench.totals" });
  await pool.query(
    "select count(daybook.append_event('account-' || i, 'AccountOpened', '{\"amount\": 0}')) from generate_series(1, $1::int) i",
    [streams],
  );
  await pool.query("vacuum analyze");
  const worker = workerChild(url, []);
  await worker.start();

  const reader = await follow(url);
  await reader.reaches(streams);
  await delay(1000);
  const committed: { readonly position: number; readonly at: number }[] = [];
  await openLoop({
    perSecond: 1000,
    seconds,
    async run() {
      const { rows } = await pool.query({
        name: "append",
        text: "select last_position from daybook.append_event($1, 'MoneyDeposited', '{\"amount\": 100}')",
        values: [`account-${1 + Math.floor(Math.random() * streams)}`],
      });
      committed.push({ position: Number(rows[0].last_position), at: performance.now() });
    },
  });
  committed.sort((a, b) => a.position - b.position);
  await reader.reaches(committed.at(-1)?.position ?? 0);
  const seen = await reader.stop();
  await worker.stop();
  worker.end();
  await pool.end();

  const times: number[] = [];
  let step = 0;
  for (const { position, at } of committed) {
    while (step < seen.length - 1 && (seen[step]?.position ?? 0) < position) step += 1;
    times.push(Math.max(0, (seen[step]?.at ?? Number.NaN) - at));
  }
  times.sort((a, b) => a - b);
  const details = `${times.length.toLocaleString("en")} events, the longest ${(times.at(-1) ?? 0).toFixed(1)} ms`;
  return [
    {
      measure: "commit of an append to its row of an async projection, as a reader sees it, 1,000 events a second, p50",
      ratio: quantile(times, 0.5),
      unit: " ms",
      bar: { atMost: 20 },
      details,
    },
    { measure: "the same, p99", ratio: quantile(times, 0.99), unit: " ms", bar: { atMost: 100 }, details: "" },
  ];
}

interface Seen {
  readonly position: number;
  readonly at: number;
}

/** Reads the position of the projection over and over. */
async function follow(url: string) {
  const client = new pg.Client(url);
  await client.connect();
  const seen: Seen[] = [];
  let going = true;
  const done = (async () => {
    while (going) {
      const { rows } = await client.query({
        name: "position",
        text: "select c.position from daybook.cursors c where c.kind = 'projection' and c.name = 'totals'",
      });
      const position = Number(rows[0].position);
      if (position !== seen.at(-1)?.position) seen.push({ position, at: performance.now() });
      await delay(1);
    }
    await client.end();
  })();
  return {
    async reaches(position: number): Promise<void> {
      while ((seen.at(-1)?.position ?? 0) < position) await delay(5);
    },
    async stop(): Promise<readonly Seen[]> {
      going = false;
      await done;
      return seen;
    },
  };
}
