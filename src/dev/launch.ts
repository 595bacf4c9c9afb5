import { closeSync, openSync, readFileSync, renameSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { ServerBinaries } from "./binaries.ts";
import type { Cluster } from "./cluster.ts";
import { EmbeddedServerError } from "./embedded-server-error.ts";
import { readPidFile } from "./pid-file.ts";
import { choosePort, isFree } from "./ports.ts";
import { belongsTo, isServerChild, processesOf, signal } from "./processes.ts";
import { lastLines, spawnServerProgram } from "./server-program.ts";
import { type ServerSettings, serverArguments } from "./server-settings.ts";

/** A server that takes connections. */
export interface RunningServer {
  readonly pid: number;
  readonly port: number;
}

/** How long a server may take from its start to its first connection, crash recovery included, in milliseconds. */
const START_TIMEOUT = 120_000;
const POLL = 25;
/** A log larger than this is put aside at the next start. */
const LOG_BYTES = 16 * 1024 * 1024;
/** How often a server that ends at once is tried again: a port may be taken between the look and the start. */
const ATTEMPTS = 5;

/**
 * The server that works in a cluster already, once it takes connections; null if there is none. What a crashed one left
 * behind is cleared away: its pid file (its pid is nobody's, or another program's by now) and children that outlived it.
 */
export async function findRunning(cluster: Cluster): Promise<RunningServer | null> {
  const deadline = Date.now() + START_TIMEOUT;
  for (;;) {
    const file = readPidFile(cluster.dataPath);
    const alive = file !== null && belongsTo(file.pid, cluster);
    if (alive && file.status === "ready" && file.port > 0) return { pid: file.pid, port: file.port };
    const processes = processesOf(cluster);
    if (!alive) for (const pid of processes.filter(isServerChild)) signal(pid, "SIGKILL");
    if (processes.length === 0) break;
    if (Date.now() > deadline) throw takesLong(processes[0] ?? 0, cluster);
    await sleep(POLL);
  }
  rmSync(join(cluster.dataPath, "postmaster.pid"), { force: true });
  return null;
}

/**
 * Starts the server of a cluster and waits until it takes connections.
 *
 * @param port the preferred port; another free one is taken if it is in use
 * @throws EmbeddedServerError with the end of the server's log if it does not start
 */
export async function launch(
  cluster: Cluster,
  binaries: ServerBinaries,
  logFile: string,
  options: { port: number; durable: boolean; settings: ServerSettings },
): Promise<RunningServer> {
  let outcome: RunningServer | string = "";
  for (let attempt = 1; attempt <= ATTEMPTS; attempt += 1) {
    const port = await choosePort(options.port);
    outcome = await tryPort(cluster, binaries, logFile, port, options);
    if (typeof outcome !== "string") return outcome;
    // Somebody was faster: that is worth another port. Everything else comes back the same.
    if (await isFree(port)) break;
  }
  throw new EmbeddedServerError(
    `PostgreSQL ${binaries.release} does not start: ${outcome || "it ended without a word"}`,
    `The server's log says more: ${logFile}`,
  );
}

/** The running server, or the end of its log if it has ended before it took a connection. */
async function tryPort(
  cluster: Cluster,
  binaries: ServerBinaries,
  logFile: string,
  port: number,
  { durable, settings }: { durable: boolean; settings: ServerSettings },
): Promise<RunningServer | string> {
  const logStart = putAsideLargeLog(logFile);
  const log = openSync(logFile, "a", 0o600);
  const options = { detached: true, output: log };
  const own = { ...settings, cluster_name: cluster.clusterName };
  const child = await spawnServerProgram(binaries, "postgres", cluster.dataPath, cluster.user, options, (dataPath) => [
    "-D",
    dataPath,
    ...serverArguments(port, durable, own),
  ]).finally(() => closeSync(log));
  // Neither the server nor its pipes keep this process alive.
  child.unref();
  const pid = child.pid ?? 0;
  const deadline = Date.now() + START_TIMEOUT;
  while (child.exitCode === null && child.signalCode === null) {
    const file = readPidFile(cluster.dataPath);
    if (file?.pid === pid && file.status === "ready") return { pid, port };
    // It is not stopped: a recovery that is broken off begins anew.
    if (Date.now() > deadline) throw takesLong(pid, cluster);
    await sleep(POLL);
  }
  return lastLines(readFileSync(logFile).subarray(logStart).toString("utf8"), 4);
}

/** Where this start's part of the log begins, in bytes. */
function putAsideLargeLog(logFile: string): number {
  const size = statSync(logFile, { throwIfNoEntry: false })?.size ?? 0;
  if (size <= LOG_BYTES) return size;
  renameSync(logFile, `${logFile}.1`);
  return 0;
}

function takesLong(pid: number, cluster: Cluster): EmbeddedServerError {
  return new EmbeddedServerError(
    `The PostgreSQL server (process ${pid}) in ${cluster.dataPath} takes no connections after ${START_TIMEOUT / 1000} seconds.`,
    `It may still be recovering from a crash: try again later, it goes on. To stop it: kill -INT ${pid}`,
  );
}
