import { setTimeout as delay } from "node:timers/promises";
import pg from "pg";
import { advanceProjection, rebuildProjection } from "../../src/index.ts";
import { createApplyFunctions, createTotals } from "../support/apply-functions.ts";
import type { BenchServer } from "../support/bench-server.ts";
import { openLoop } from "../support/open-loop.ts";
import type { BenchOptions } from "../support/options.ts";
import type { Row } from "../support/report.ts";

const streams = 20_000;
const modes = ["async", "inline"] as const;

/** What was done, and when, in milliseconds. */
interface Span {
  readonly from: number;
  readonly to: number;
}

/**
 * Rebuilds, one after the other, while 1,000 events a second are appended and 200 reads a second go through the views. A
 * pause is what an append or a read took that was under way while a rebuild tried to switch, from the moment it was due.
 */
export async function switchRows(server: BenchServer, options: BenchOptions): Promise<Row[]> {
  const rebuilds = options.quick ? 2 : 10;
  const url = await server.database("switch", "daybook");
  const pool = new pg.Pool({ connectionString: url, max: 40 });
  await createApplyFunctions(pool);
  await pool.query(
    "select count(daybook.append_event('account-' || i, 'AccountOpened', '{\"amount\": 0}')) from generate_series(1, $1::int) i",
    [streams],
  );
  for (const mode of modes) await createTotals(pool, { name: mode, apply: "bench.totals", mode });
  await pool.query("vacuum analyze");

  const account = () => `account-${1 + Math.floor(Math.random() * streams)}`;
  const writes = load(1000, () =>
    pool.query({
      name: "append",
      text: "select daybook.append_event($1, 'MoneyDeposited', '{\"amount\": 100}')",
      values: [account()],
    }),
  );
  const reads = modes.map((mode) =>
    load(100, () =>
      pool.query({ name: mode, text: `select * from views_${mode}.totals where account = $1`, values: [account()] }),
    ),
  );
  await delay(1000);
  const switches: Record<(typeof modes)[number], Span[]> = { async: [], inline: [] };
  for (let round = 0; round < rebuilds; round += 1)
    for (const mode of modes) switches[mode].push(...(await rebuild(pool, mode)));
  const written = await writes.stop();
  const read = (await Promise.all(reads.map((one) => one.stop()))).flat();
  await pool.end();

  const during = [...switches.async, ...switches.inline];
  const ms = (spans: readonly Span[], tries?: readonly Span[]) => `${longest(spans, tries).toFixed(0)} ms`;
  return [
    {
      measure: "switch at the end of a rebuild, 1,000 appends a second: longest pause seen by readers and writers",
      ratio: longest([...written, ...read], during),
      unit: " ms",
      bar: { atMost: 200 },
      details: [
        `${rebuilds} rebuilds each, switched in ${during.length} tries`,
        ...modes.map((mode) => `${mode}: writers ${ms(written, switches[mode])}, readers ${ms(read, switches[mode])}`),
        `at any time: writers ${ms(written)}, readers ${ms(read)}`,
      ].join("; "),
    },
  ];
}

/** A load that goes on until it is stopped; then: what each took, from the moment it was due. */
function load(perSecond: number, run: () => Promise<unknown>) {
  const spans: Span[] = [];
  let going = true;
  const done = (async () => {
    while (going) {
      await openLoop({
        perSecond,
        seconds: 1,
        run,
        onDone: (from, to) => spans.push({ from, to }),
      });
    }
  })();
  return {
    async stop(): Promise<Span[]> {
      going = false;
      await done;
      return spans;
    },
  };
}

/** Builds a version of it; gives the calls that tried to switch. */
async function rebuild(pool: pg.Pool, name: string): Promise<Span[]> {
  const building = `${name}@${await rebuildProjection(pool, { name })}`;
  const tries: Span[] = [];
  for (;;) {
    const from = performance.now();
    const { outcome } = await advanceProjection(pool, { name: building });
    if (outcome !== "more") tries.push({ from, to: performance.now() });
    if (outcome === "switched") return tries;
    if (outcome !== "more") await delay(20);
  }
}

/** The longest of those that overlap one of others. */
function longest(spans: readonly Span[], others?: readonly Span[]): number {
  let most = 0;
  for (const { from, to } of spans)
    if (!others || others.some((other) => from <= other.to && to >= other.from)) most = Math.max(most, to - from);
  return most;
}
