import { readFileSync } from "node:fs";
import { join } from "node:path";

/** What a server says of itself in `postmaster.pid`. */
export interface PidFile {
  readonly pid: number;
  /** 0 until the server has written it. */
  readonly port: number;
  readonly status: "starting" | "ready" | "stopping" | "standby" | "unknown";
}

/** Reads `postmaster.pid` of a data directory; null if there is none (or none that can be understood). */
export function readPidFile(dataPath: string): PidFile | null {
  let lines: string[];
  try {
    lines = readFileSync(join(dataPath, "postmaster.pid"), "utf8").split("\n");
  } catch {
    return null;
  }
  // The lines: pid, data directory, start time, port, socket directory, listen address, shared memory key, status.
  const pid = Number(lines[0]);
  if (!Number.isInteger(pid) || pid <= 0) return null;
  const status = lines[7]?.trim() ?? "";
  const known = ["starting", "ready", "stopping", "standby"] as const;
  return { pid, port: Number(lines[3]) || 0, status: known.find((name) => name === status) ?? "unknown" };
}
