import type { ChildProcess } from "node:child_process";
import { closeSync, openSync, readFileSync, renameSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { ServerBinaries } from "./binaries.ts";
import type { Cluster } from "./cluster.ts";
import { EmbeddedServerError } from "./embedded-server-error.ts";
import { readPidFile } from "./pid-file.ts";
import { belongsTo, processesOf, signal } from "./processes.ts";
import { lastLines, spawnServerProgram } from "./server-program.ts";
import { type ServerSettings, serverArguments } from "./server-settings.ts";

/** A server that runs and takes connections. */
export interface RunningServer {
  readonly pid: number;
  readonly port: number;
}

/** How long a server may take from its start to its first connection, crash recovery included, in milliseconds. */
const START_TIMEOUT = 120_000;
const POLL = 25;
/** A log larger than this is put aside at the next start. */
const LOG_BYTES = 16 * 1024 * 1024;

/**
 * The server that works in a cluster already, once it takes connections; null if there is none. What a crashed one left
 * behind is cleared away: its pid file, if the pid is nobody's or another program's by now, and children that outlived it.
 */
export async function findRunning(cluster: Cluster): Promise<RunningServer | null> {
  const deadline = Date.now() + START_TIMEOUT;
  for (;;) {
    const file = readPidFile(cluster.dataPath);
    if (!file || !belongsTo(file.pid, cluster)) break;
    if (file.status === "ready" && file.port > 0) return { pid: file.pid, port: file.port };
    if (Date.now() > deadline) {
      throw new EmbeddedServerError(
        `A PostgreSQL server (process ${file.pid}) has held ${cluster.dataPath} for ${START_TIMEOUT / 1000} seconds without taking connections: it is ${file.status}.`,
        `Wait for it, or stop it: kill -INT ${file.pid}`,
      );
    }
    await sleep(POLL);
  }
  for (const pid of processesOf(cluster)) {
    const again = readPidFile(cluster.dataPath);
    if (again && belongsTo(again.pid, cluster)) return findRunning(cluster);
    signal(pid, "SIGKILL");
  }
  rmSync(join(cluster.dataPath, "postmaster.pid"), { force: true });
  return null;
}
