import { type ChildProcess, spawn } from "node:child_process";
import { chmodSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import pg from "pg";
import tap, { type Test } from "tap";
import { type EmbeddedOptions, type EmbeddedServer, startEmbedded } from "../../src/dev/embedded.ts";
import { processIdentity } from "../../src/dev/processes.ts";

/** A directory that the test's end removes. */
export function temporaryDirectory(t: Test, mode = 0o711): string {
  const directory = mkdtempSync(join(tmpdir(), "daybook-dev-"));
  chmodSync(directory, mode);
  t.teardown(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

let used: string | undefined;

/** The same directory for every test of a file, for tests of what comes after initdb: that takes a second each time. */
export function usedDirectory(): string {
  used ??= temporaryDirectory(tap);
  return used;
}

/** A server that ends with the test. What is tested is not durability: the tests are quicker without. */
export async function start(t: Test, options: EmbeddedOptions): Promise<EmbeddedServer> {
  const server = await startEmbedded({ durable: false, ...options });
  t.teardown(() => server.stop());
  return server;
}

/** One query on a connection of its own: the first column of its first row. */
export async function ask(url: string, text: string): Promise<unknown> {
  const client = new pg.Client(url);
  client.on("error", () => undefined);
  await client.connect();
  try {
    const { rows } = await client.query<Record<string, unknown>>(text);
    return Object.values(rows[0] ?? {})[0];
  } finally {
    await client.end();
  }
}

/** What the program of start-embedded.ts says. */
export interface Said {
  url: string;
  port: number;
  pid: number;
  shared: boolean;
  notices: string[];
  error?: string;
  hint?: string;
}

/** Starts another process that uses the server of a directory, and waits until it has it. */
export async function otherProcess(
  dataDir: string,
  then: "stop" | "wait" | "exit",
  user: { uid?: number; gid?: number } = {},
): Promise<{ child: ChildProcess; said: Said; ended: Promise<number | null> }> {
  const program = fileURLToPath(new URL("start-embedded.ts", import.meta.url));
  // With env, as tap would add to the environment of what is spawned: another user cannot write where it reports to.
  const child = spawn("env", ["-i", `PATH=${process.env.PATH}`, process.execPath, program, dataDir, then], {
    stdio: ["ignore", "pipe", "inherit"],
    ...user,
  });
  const ended = new Promise<number | null>((done) => child.once("close", done));
  let text = "";
  const said = await new Promise<Said>((done, fail) => {
    child.once("error", fail);
    child.once("close", (code) => fail(new Error(`it said nothing and ended with ${code}: ${text}`)));
    child.stdout.on("data", (chunk: Buffer) => {
      text += chunk.toString("utf8");
      if (text.includes("\n")) done(JSON.parse(text));
    });
  });
  return { child, said, ended };
}

/** Waits until a process has ended. */
export async function gone(pid: number, patience = 10_000): Promise<boolean> {
  const deadline = Date.now() + patience;
  while (processIdentity(pid)) {
    if (Date.now() > deadline) return false;
    await new Promise((done) => setTimeout(done, 10));
  }
  return true;
}
