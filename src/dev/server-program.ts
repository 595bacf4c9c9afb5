import { type ChildProcess, type SpawnOptions, spawn, spawnSync } from "node:child_process";
import { closeSync, constants, openSync } from "node:fs";
import type { ServerBinaries } from "./binaries.ts";
import { EmbeddedServerError } from "./embedded-server-error.ts";
import type { OsUser } from "./os-user.ts";
import { reachableBinaries } from "./reachable-binaries.ts";

/** Starts a program of PostgreSQL as the server's OS user. */
export async function spawnServerProgram(
  binaries: ServerBinaries,
  program: "postgres" | "initdb",
  data: string,
  user: OsUser | null,
  options: { detached?: boolean; output: number | "pipe" },
  argumentsFor: (dataPath: string) => string[],
): Promise<ChildProcess> {
  const { [program]: path } = await reachableBinaries(binaries, user);
  const spawnOptions: SpawnOptions = {
    cwd: "/",
    // No PG… variable of the caller's gets in.
    env: { PATH: "/usr/local/bin:/usr/bin:/bin", LC_ALL: "C" },
    detached: options.detached ?? false,
    ...(user ?? {}),
  };
  const output = options.output;
  if (!user || canEnter(data, user)) {
    return started(spawn(path, argumentsFor(data), { ...spawnOptions, stdio: ["ignore", output, output] }));
  }
  // The server's user cannot walk down to the directory: it is handed over open.
  const handle = openSync(data, constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    const args = argumentsFor("/proc/self/fd/3");
    return await started(spawn(path, args, { ...spawnOptions, stdio: ["ignore", output, output, handle] }));
  } finally {
    closeSync(handle);
  }
}

/** Runs a program of PostgreSQL to its end, with a path under which it reaches the data directory. */
export async function runServerProgram(
  binaries: ServerBinaries,
  program: "postgres" | "initdb",
  data: string,
  user: OsUser | null,
  argumentsFor: (dataPath: string) => string[],
): Promise<{ code: number | null; output: string }> {
  const child = await spawnServerProgram(binaries, program, data, user, { output: "pipe" }, argumentsFor);
  let output = "";
  const collect = (chunk: Buffer) => {
    output += chunk.toString("utf8");
  };
  child.stdout?.on("data", collect);
  child.stderr?.on("data", collect);
  const code = await new Promise<number | null>((done) => child.once("close", done));
  return { code, output };
}

/** The last lines that say something, on one line. */
export function lastLines(text: string, count: number): string {
  const lines = text.split("\n").map((line) => line.trim());
  return lines.filter(Boolean).slice(-count).join(" | ");
}

function canEnter(directory: string, user: OsUser): boolean {
  const result = spawnSync("/bin/sh", ["-c", 'test -x "$0"', directory], { cwd: "/", stdio: "ignore", ...user });
  if (result.status === 0) return true;
  if (process.platform === "linux") return false;
  throw new EmbeddedServerError(
    `The OS user that PostgreSQL runs as cannot enter ${directory}.`,
    "Run as an ordinary user, or choose another directory with DAYBOOK_DATA_DIR.",
  );
}

function started(child: ChildProcess): Promise<ChildProcess> {
  return new Promise((done, fail) => {
    child.once("spawn", () => done(child));
    child.once("error", fail);
  });
}
