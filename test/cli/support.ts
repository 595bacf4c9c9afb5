import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

/** The program, to be run by this Node. */
export const main = fileURLToPath(new URL("../../src/cli/main.ts", import.meta.url));

/** What a run of `daybook` came to. */
export interface Result {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** How to run it. */
export interface RunOptions {
  /** `DATABASE_URL`; none if not given. */
  readonly url?: string;
  readonly stdin?: string;
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** An environment in which nothing of whoever runs the tests is found, but what has been compiled. */
export function environment({ url, env }: RunOptions): Record<string, string> {
  const { PATH = "", HOME = "", NODE_COMPILE_CACHE = "" } = process.env;
  return { PATH, HOME, NODE_COMPILE_CACHE, ...(url && { DATABASE_URL: url }), ...env };
}

/** Starts `daybook`; whoever starts it ends it. */
export function start(args: readonly string[], options: RunOptions): ChildProcess {
  return spawn(process.execPath, [main, ...args], {
    env: environment(options),
    cwd: options.cwd,
    stdio: ["pipe", "pipe", "pipe"],
  });
}

/** Runs `daybook` to its end. */
export async function daybook(args: readonly string[], options: RunOptions = {}): Promise<Result> {
  const child = start(args, options);
  const output = collect(child);
  child.stdin?.on("error", () => undefined).end(options.stdin ?? "");
  const [code] = await once(child, "close");
  return { code, ...output };
}

/** Gathers what a process says, as it says it. */
export function collect(child: ChildProcess): { stdout: string; stderr: string } {
  const output = { stdout: "", stderr: "" };
  child.stdout?.setEncoding("utf8").on("data", (text: string) => {
    output.stdout += text;
  });
  child.stderr?.setEncoding("utf8").on("data", (text: string) => {
    output.stderr += text;
  });
  return output;
}

/** Waits until something is so. */
export async function until(
  isSo: () => boolean | Promise<boolean>,
  what: () => string,
  patience = 30_000,
): Promise<void> {
  const deadline = Date.now() + patience;
  while (!(await isSo())) {
    if (Date.now() > deadline) throw new Error(`waited ${patience} ms in vain: ${what()}`);
    await new Promise((done) => setTimeout(done, 20));
  }
}

/** The connections of `daybook` to this database that wait for a lock. */
export const waitingForLock = `
  select a.pid from pg_stat_activity a
   where a.application_name = 'daybook' and a.datname = current_database() and a.wait_event_type = 'Lock'`;

/** The rows of an output with tabs, without its heading. */
export function cells(stdout: string): string[][] {
  return stdout
    .trimEnd()
    .split("\n")
    .slice(1)
    .map((line) => line.split("\t"));
}

/** The objects of an NDJSON output. */
export function objects(stdout: string): Record<string, unknown>[] {
  return stdout
    .split("\n")
    .filter(Boolean)
    .map((line): Record<string, unknown> => JSON.parse(line));
}
