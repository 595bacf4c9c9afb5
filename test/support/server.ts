import { randomBytes } from "node:crypto";
import { chmod, mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type EmbeddedServer, startEmbedded } from "../../src/dev/embedded.ts";
import { dropDatabases } from "./template.ts";

/** The server that the databases of a test run live in. */
export interface TestServer {
  /** The URL of its database `postgres`, as a superuser. */
  readonly url: string;
  /** The run's name, part of the names of all it makes there. */
  readonly run: string;
  /** A directory for what else the run makes, removed at its end. */
  readonly directory: string;
}

/** A test server and the way to end it. */
export interface OwnedTestServer extends TestServer {
  /** Drops the run's databases, stops what the run has started and removes its directory. */
  stop(): Promise<void>;
}

const cache = fileURLToPath(new URL("../../node_modules/.cache/daybook", import.meta.url));

/** What this process tells the test files it starts; they need no server of their own. */
export function announcement(server: TestServer): Record<string, string> {
  return {
    DAYBOOK_TEST_URL: server.url,
    DAYBOOK_TEST_RUN: server.run,
    DAYBOOK_TEST_DIR: server.directory,
    // Code under test must not find the database of whoever runs the tests.
    DATABASE_URL: "",
    // hundreds of processes run the same sources: their types are stripped once
    NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE ?? cache,
  };
}

/** The server that the process which started this one has announced, if it has. */
export function announcedServer(): TestServer | null {
  const { DAYBOOK_TEST_URL: url, DAYBOOK_TEST_RUN: run, DAYBOOK_TEST_DIR: directory } = process.env;
  return url && run && directory ? { url, run, directory } : null;
}

let own: Promise<OwnedTestServer> | undefined;

/** The server of the run; a test file that is run alone starts one, and stops it when all its tests have ended. */
export function testServer(): Promise<TestServer> {
  const announced = announcedServer();
  if (announced) return Promise.resolve(announced);
  own ??= startForThisFile();
  return own;
}

async function startForThisFile(): Promise<OwnedTestServer> {
  // Imported here: the runner, which is no test itself, uses this file too.
  const { default: tap } = await import("tap");
  const server = await startTestServer();
  tap.teardown(() => server.stop());
  exitOnSignals();
  return server;
}

/** Exits on a signal, rather than dying of it: what has been started is then stopped. */
export function exitOnSignals(): void {
  for (const [name, number] of Object.entries({ SIGHUP: 1, SIGINT: 2, SIGTERM: 15 })) {
    process.once(name, () => process.exit(128 + number));
  }
}

/** The major version the tests ask for: `DAYBOOK_TEST_PG`, or 18. */
export function testVersion(): 15 | 18 {
  const version = process.env.DAYBOOK_TEST_PG || "18";
  if (version !== "15" && version !== "18") throw new Error(`DAYBOOK_TEST_PG is ${version}: it must be 15 or 18`);
  return version === "15" ? 15 : 18;
}

/**
 * Starts the server of a run: the one `DAYBOOK_TEST_URL` or `DATABASE_URL` names, else an embedded PostgreSQL that is
 * fast rather than durable (tests of durability start their own, see `testCluster`).
 */
export async function startTestServer(): Promise<OwnedTestServer> {
  const directory = await mkdtemp(join(tmpdir(), "daybook-test-"));
  // The server's OS user may be another one.
  await chmod(directory, 0o711);
  const run = randomBytes(4).toString("hex");
  const given = process.env.DAYBOOK_TEST_URL || process.env.DATABASE_URL;
  const embedded = given ? null : await startShared(directory);
  const server = { url: given ?? embedded?.url ?? "", run, directory };
  return {
    ...server,
    stop: async () => {
      if (embedded) await embedded.stop();
      else await dropDatabases(server);
      await sweep(directory);
      await rm(directory, { recursive: true, force: true });
    },
  };
}

function startShared(directory: string): Promise<EmbeddedServer> {
  return startEmbedded({
    dataDir: join(directory, "shared"),
    version: testVersion(),
    database: "postgres",
    durable: false,
    settings: {
      max_connections: 300,
      max_prepared_transactions: 64,
      checkpoint_timeout: "1h",
      max_wal_size: "4GB",
    },
  });
}

/** Ends the clusters of test files that were killed. */
async function sweep(directory: string): Promise<void> {
  for (const name of await readdir(directory)) {
    const dataDir = join(directory, name);
    if (!(await readdir(dataDir).catch((): string[] => [])).includes("postgres")) continue;
    for (const version of [18, 15] as const) {
      const left = await startEmbedded({ dataDir, version, database: "postgres" }).catch(() => null);
      await left?.kill();
    }
  }
}
