import pg from "pg";
import { defineReducer, loadState } from "../../src/index.ts";
import type { BenchServer } from "../support/bench-server.ts";
import { type Measured, measure, quantile, type Variant } from "../support/measure.ts";
import type { BenchOptions } from "../support/options.ts";
import type { Row } from "../support/report.ts";

const events = 10_000;

/** The state of a long stream, folded from its first event and from a snapshot a hundred events behind its end. */
export async function foldRows(server: BenchServer, { rounds, seconds }: BenchOptions): Promise<Row[]> {
  const url = await server.database("fold", "daybook");
  const pool = new pg.Pool({ connectionString: url, max: 1 });
  await pool.query(`
    create schema bench;
    create function bench.balance(state jsonb, event daybook.event) returns jsonb language sql immutable as $$
      select jsonb_build_object('balance', coalesce((state ->> 'balance')::bigint, 0) + (event.data ->> 'amount')::bigint)
    $$;
    select daybook.create_reducer('balance', 'bench.balance')`);
  const deposits = (count: number) =>
    pool.query(
      `select daybook.append('account-1', (
         select jsonb_agg(jsonb_build_object('type', 'MoneyDeposited', 'data', jsonb_build_object('amount', 1))) from generate_series(1, 100)))
         from generate_series(1, $1::int / 100)`,
      [count],
    );
  await deposits(events - 100);
  await pool.query(
    "select daybook.save_snapshot('account-1', 'balance', 1, l.version, l.state) from daybook.load_state('account-1', 'balance') l",
  );
  const reducer = (snapshotEvery?: number) =>
    defineReducer({
      name: "balance",
      version: 1,
      initial: { balance: 0 },
      evolve: (state, event) => ({ balance: state.balance + Number(event.data.amount) }),
      snapshotEvery,
    });
  await loadState(pool, "account-1", reducer(1000));
  await deposits(100);
  await pool.query("vacuum analyze");

  const sql = (name: string, function_: string): Variant => ({
    name,
    clients: 1,
    async run() {
      const { rows } = await pool.query("select daybook.fold('account-1', $1)", [function_]);
      return check(rows[0].fold);
    },
  });
  const typescript = (name: string, snapshots: boolean): Variant => ({
    name,
    clients: 1,
    run: async () => check((await loadState(pool, "account-1", reducer(), { snapshots })).state),
  });
  const all = (await measure(
    [
      sql("fold, no snapshot", "bench.balance"),
      sql("fold, snapshot", "balance"),
      typescript("loadState, no snapshot", false),
      typescript("loadState, snapshot", true),
    ],
    rounds,
    seconds,
  )) as [Measured, Measured, Measured, Measured];
  await pool.end();

  const row = (measure: string, { latencies }: Measured): Row => ({
    measure,
    ratio: quantile(latencies, 0.5),
    unit: " ms",
    details: `p99 ${quantile(latencies, 0.99).toFixed(2)} ms`,
  });
  const count = events.toLocaleString("en");
  return [
    row(`fold of a stream of ${count} events in SQL, from the first, p50`, all[0]),
    row("the same from a snapshot 100 events behind", all[1]),
    row(`loadState of a stream of ${count} events in TypeScript, from the first, p50`, all[2]),
    row("the same from a snapshot 100 events behind", all[3]),
  ];
}

function check(state: { readonly balance: number }): number {
  if (state.balance !== events) throw new Error(`the state is ${JSON.stringify(state)}`);
  return 1;
}
