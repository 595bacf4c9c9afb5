import { mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { EmbeddedServerError } from "./embedded-server-error.ts";
import { isRunning, processIdentity } from "./processes.ts";

/*
 * Processes that share a directory tell each other what they do by files named after them. A process that was killed
 * drops out by itself: nobody runs any more under its pid and start time.
 */

/** `use`: uses the server. `busy`: is starting or stopping it. */
export type Activity = "use" | "busy";

/** What one process says of itself. */
export interface Presence {
  readonly directory: string;
  readonly file: string;
}

/** How long others may take to start or stop the server, in milliseconds. */
const BUSY_TIMEOUT = 180_000;

let announced = 0;

/** Says that this process does something, until it is withdrawn. */
export function announce(dataDir: string, activity: Activity): Presence {
  const directory = join(dataDir, "processes");
  mkdirSync(directory, { recursive: true });
  announced += 1;
  const startedAt = processIdentity(process.pid)?.startedAt ?? "0";
  const file = `${activity}-${process.pid}-${startedAt}-${announced}`;
  writeFileSync(join(directory, file), `${process.argv.slice(1, 3).join(" ")}\n`);
  return { directory, file };
}

export function withdraw(presence: Presence): void {
  rmSync(join(presence.directory, presence.file), { force: true });
}

/** Whether any running process does this, not counting one presence. Removes what dead ones left. */
export function anyoneElse(dataDir: string, activity: Activity, except: Presence): boolean {
  const directory = join(dataDir, "processes");
  let found = false;
  for (const file of readdirSync(directory)) {
    const [kind, pid, startedAt] = file.split("-");
    if (kind !== activity || file === except.file) continue;
    if (isRunning({ pid: Number(pid), startedAt: startedAt ?? "" })) found = true;
    else rmSync(join(directory, file), { force: true });
  }
  return found;
}

/**
 * Runs a function while no other process runs one for this directory. Whoever wants in says so first and looks for
 * others only then; who sees another one steps back and tries again. Two cannot both have seen nobody.
 */
export async function exclusively<T>(dataDir: string, work: () => Promise<T>): Promise<T> {
  const deadline = Date.now() + BUSY_TIMEOUT;
  for (;;) {
    const presence = announce(dataDir, "busy");
    try {
      if (!anyoneElse(dataDir, "busy", presence)) return await work();
    } finally {
      withdraw(presence);
    }
    if (Date.now() > deadline) {
      throw new EmbeddedServerError(
        `Another process has been starting or stopping the server in ${dataDir} for ${BUSY_TIMEOUT / 1000} seconds.`,
        `The files in ${dataDir}/processes are named after such processes: end the one that hangs.`,
      );
    }
    await sleep(20 + Math.random() * 60);
  }
}
