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
 * Rebuilds by a worker in a process of its own, first of a log, ten times, then of one ten times as long, once: as many events
 * in about the same time. What grows with the log would show: in the worker's process, or in the backends it is connected to
 * (their own memory: shared buffers do not count).
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
  const less = await rebuilds(url, pool, 10);
  await log.fill(long - short);
  const more = await rebuilds(url, pool, 1);
  await pool.end();

  const count = (events: number) => events.toLocaleString("en");
  const megabytes = (bytes: number) => `${(bytes / 2 ** 20).toFixed(1)} MB`;
  const measure = `memory of a rebuild, ${count(long)} events against ten of ${count(short)}`;
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

async function rebuilds(url: string, pool: pg.Pool, times: number): Promise<Rebuilt> {
  const { rows } = await pool.query("select pid from pg_stat_activity where backend_type = 'client backend'");
  const others = new Set(rows.map(({ pid }) => pid));
  const worker = workerChild(url, []);
  await worker.start();
  const started = performance.now();
  const highest = { backend: 0, node: 0 };
  for (let i = 0; i < times; i += 1) {
    const version = await rebuildProjection(pool, { name: "totals" });
    while ((await projectionStatus(pool, { name: "totals" }))[0]?.version !== version) {
      const { rows: now } = await pool.query(
        "select pid from pg_stat_activity where backend_type = 'client backend' and datname = current_database()",
      );
      for (const { pid } of now.filter(({ pid }) => !others.has(pid)))
        highest.backend = Math.max(highest.backend, await memory(pid, "RssAnon"));
      highest.node = await memory(worker.pid, "VmHWM");
      await delay(50);
    }
  }
  const seconds = (performance.now() - started) / 1000;
  await worker.stop();
  worker.end();
  return { ...highest, seconds };
}

/** A figure of a process, in bytes; 0 if it is gone. */
async function memory(pid: number, figure: string): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, "utf8").catch(() => "");
  return Number(new RegExp(`^${figure}:\\s+(\\d+) kB`, "m").exec(status)?.[1] ?? 0) * 1024;
}
