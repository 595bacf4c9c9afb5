import { setTimeout as sleep } from "node:timers/promises";
import type { Cluster } from "./cluster.ts";
import { EmbeddedServerError } from "./embedded-server-error.ts";
import { belongsTo, processesOf, processIdentity, signal } from "./processes.ts";

/** How long each way of stopping may take before the next, harder one is tried, in milliseconds. */
const PATIENCE = { fast: 20_000, immediate: 5_000, kill: 5_000 };

/** Stops a server: fast (transactions are rolled back, everything is written), and harder if that takes too long. */
export async function stopServer(cluster: Cluster, pid: number): Promise<void> {
  for (const [name, patience] of [
    ["SIGINT", PATIENCE.fast],
    ["SIGQUIT", PATIENCE.immediate],
  ] as const) {
    if (!stillRuns(cluster, pid)) return;
    signal(pid, name);
    if (await gone(() => !stillRuns(cluster, pid), patience)) return;
  }
  await killServer(cluster, pid);
}

/**
 * Ends a server and all its children with SIGKILL, as the kernel or a power cut would: nothing is flushed, nothing says
 * goodbye. The server goes first, so that it cannot put the rest in order.
 */
export async function killServer(cluster: Cluster, pid: number): Promise<void> {
  if (stillRuns(cluster, pid)) signal(pid, "SIGKILL");
  const allGone = () => {
    const rest = processesOf(cluster);
    for (const child of rest) signal(child, "SIGKILL");
    return rest.length === 0 && !stillRuns(cluster, pid);
  };
  if (await gone(allGone, PATIENCE.kill)) return;
  throw new EmbeddedServerError(
    `The PostgreSQL server (process ${pid}) does not end, not even by SIGKILL.`,
    "A disk that does not answer is the usual reason: look at the system's log.",
  );
}

function stillRuns(cluster: Cluster, pid: number): boolean {
  return processIdentity(pid) !== null && belongsTo(pid, cluster);
}

async function gone(check: () => boolean, patience: number): Promise<boolean> {
  const deadline = Date.now() + patience;
  while (!check()) {
    if (Date.now() > deadline) return false;
    await sleep(10);
  }
  return true;
}
