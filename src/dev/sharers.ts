import { mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { isRunning, processIdentity } from "./processes.ts";

/*
 * Who uses the server of a directory. Each use is a file named after its process, so that a process that was killed
 * drops out by itself; the last one out stops the server. Whoever is about to stop it says so first, and only then looks
 * for others; whoever comes in enters first, and only then looks for somebody who is stopping it: one of the two sees
 * the other.
 */

/** One use of the server by this process. */
export interface Ticket {
  readonly directory: string;
  /** The process and a number, as part of the names of its files. */
  readonly holder: string;
}

/** How long somebody else may take to stop the server, in milliseconds. */
const STOPPING_TIMEOUT = 30_000;

let uses = 0;

/** Announces a use of the server, and waits while somebody else is stopping it. */
export async function enter(dataDir: string): Promise<Ticket> {
  const directory = join(dataDir, "processes");
  mkdirSync(directory, { recursive: true });
  uses += 1;
  const ticket = { directory, holder: `${process.pid}-${processIdentity(process.pid)?.startedAt ?? "0"}-${uses}` };
  writeFileSync(fileOf(ticket, "use"), `${process.argv.slice(1, 3).join(" ")}\n`);
  const deadline = Date.now() + STOPPING_TIMEOUT;
  while (anyone(directory, "stopping") && Date.now() < deadline) await sleep(50);
  return ticket;
}

/**
 * Ends a use. True if nobody else uses the server: the caller stops it and then calls `left`. Does all its work before
 * it returns, so that it can be called while the process exits.
 */
export function leave(ticket: Ticket): boolean {
  try {
    writeFileSync(fileOf(ticket, "stopping"), "");
  } catch {
    return false; // The directory is gone, and the data with it.
  }
  rmSync(fileOf(ticket, "use"), { force: true });
  if (!anyone(ticket.directory, "use")) return true;
  left(ticket);
  return false;
}

/** The server has been stopped: newcomers need not wait any longer. */
export function left(ticket: Ticket): void {
  rmSync(fileOf(ticket, "stopping"), { force: true });
}

function anyone(directory: string, what: "use" | "stopping"): boolean {
  let found = false;
  for (const name of readdirSync(directory)) {
    const [kind, pid, startedAt] = name.split("-");
    if (kind !== what) continue;
    if (isRunning({ pid: Number(pid), startedAt: startedAt ?? "" })) found = true;
    else rmSync(join(directory, name), { force: true });
  }
  return found;
}

function fileOf(ticket: Ticket, what: "use" | "stopping"): string {
  return join(ticket.directory, `${what}-${ticket.holder}`);
}
