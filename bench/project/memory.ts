import { readFile } from "node:fs/promises";
import { setTimeout as delay } from "node:timers/promises";
import pg from "pg";
import { projectionStatus, rebuildProjection } from "../../src/index.ts";
import { createApplyFunctions, createTotals } from "../support/apply-functions.ts";
import type { BenchServer } from "../support/bench-server.ts";
import { filledLog } from "../support/fill-log.ts";
import type { BenchOptions } from "../support/options.ts";
import type { Row } from "../support/report.ts";
import { workerChild } from "../support/worker-child.ts";

const streams = 1000;

/** Memory in bytes at its highest, and how long it took. */
interface Rebuilt {
  readonly backend: number;
  readonly node: number;
  readonly seconds: number;
}

/**
 * Rebuilds by a worker in a process of its own, first of a log, then of one ten times as long. What grows with the log would
 * show: in the worker's process, or in the backends it is connected to (their own memory: shared buffers do not count).
 */
export async function memoryRows(server: BenchServer, options: BenchOptions): Promise<Row[]> {
  if (process.platform !== "linux") return [];
  const short = options.quick ? 100_000 : 1_000_000;
  const long = short * 10;
  const url = await server.database("memory", "daybook");
  const pool = new pg.Pool({ connectionString: url, max: 2 });
  const log = await filledLog(url, streams);
  await createApplyFunctions(pool);
  await createTotals(pool, { name: "totals", apply: "bench.totals" });
  await log.fill(short);
  // the first is there to have it all loaded
  await rebuild(url, pool);
  const less = await rebuild(url, pool);
  await log.fill(long - short);
  const more = await rebuild(url, pool);
  await pool.end();

  const count = (events: number) => events.toLocaleString("en");
  const megabytes = (bytes: number) => `${(bytes / 2 ** 20).toFixed(1)} MB`;
  const measure = `memory of a rebuild, ${count(long)} events against ${count(short)}`;
  return [
    {
      measure: `${measure}: the backend at its highest`,
      ratio: more.backend / less.backend,
      bar: { atMost: 1.2 },
      details: `${megabytes(more.backend)} against ${megabytes(less.backend)}; ${count(Math.round(long / more.seconds))} events/s`,
    },
    {
      measure: "the same: the worker's process",
      ratio: more.node / less.node,
      bar: { atMost: 1.2 },
      details: `${megabytes(more.node)} against ${megabytes(less.node)}`,
    },
  ];
}

async function rebuild(url: string, pool: pg.Pool): Promise<Rebuilt> {
  const { rows } = await pool.query("select pid from pg_stat_activity where backend_type = 'client backend'");
  const others = new Set(rows.map(({ pid }) => pid));
  const started = performance.now();
  const version = await rebuildProjection(pool, { name: "totals" });
  const worker = workerChild(url, []);
  await worker.start();
  let backend = 0;
  let node = 0;
  for (;;) {
    const { rows: now } = await pool.query(
      "select pid from pg_stat_activity where backend_type = 'client backend' and datname = current_database()",
    );
    for (const { pid } of now) if (!others.has(pid)) backend = Math.max(backend, await memory(pid, "RssAnon"));
    node = await memory(worker.pid, "VmHWM");
    if ((await projectionStatus(pool, { name: "totals" }))[0]?.version === version) break;
    await delay(50);
  }
  const seconds = (performance.now() - started) / 1000;
  await worker.stop();
  worker.end();
  return { backend, node, seconds };
}

/** A figure of a process, in bytes; 0 if it is gone. */
async function memory(pid: number, figure: string): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, "utf8").catch(() => "");
  return Number(new RegExp(`^${figure}:\\s+(\\d+) kB`, "m").exec(status)?.[1] ?? 0) * 1024;
}
