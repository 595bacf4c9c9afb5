import { randomBytes } from "node:crypto";
import { chmod, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import pg from "pg";
import { type EmbeddedServer, startEmbedded } from "../../src/dev/embedded.ts";
import { migrate } from "../../src/migrate/index.ts";
import type { Crashable } from "../concurrency/scenarios/scenario.ts";
import { withClient, withDatabase } from "../support/admin.ts";
import { announcement, startTestServer, testVersion } from "../support/server.ts";
import { templateDatabase } from "../support/template.ts";

/** Gives work a fresh database with the store installed, on a server of the run's own or the one of `DATABASE_URL`. */
export async function onDatabase<T>(work: (url: string) => Promise<T>): Promise<T> {
  const server = await startTestServer();
  try {
    const name = `daybook_test_${server.run}_stress`;
    const template = await templateDatabase(server);
    await withClient(server.url, (admin) =>
      admin.query(`create database ${pg.escapeIdentifier(name)} template ${pg.escapeIdentifier(template)}`),
    );
    return await work(withDatabase(server.url, name));
  } finally {
    await server.stop();
  }
}

/** Gives work a server of the run's own, or the one of `DATABASE_URL`, and what tests have to be told to use it. */
export async function forTests<T>(
  work: (url: string, environment: Readonly<Record<string, string>>) => Promise<T>,
): Promise<T> {
  const server = await startTestServer();
  try {
    return await work(server.url, announcement(server));
  } finally {
    await server.stop();
  }
}

/** Gives work a durable server of its own, with the store installed, to crash. */
export async function onServer<T>(work: (server: Crashable) => Promise<T>): Promise<T> {
  const dataDir = await mkdtemp(join(tmpdir(), `daybook-stress-${randomBytes(2).toString("hex")}-`));
  // The server's OS user may be another one.
  await chmod(dataDir, 0o711);
  const settings = { max_prepared_transactions: 20 };
  const start = (): Promise<EmbeddedServer> => startEmbedded({ dataDir, version: testVersion(), settings });
  let server = await start();
  try {
    await migrate(server.url);
    return await work({
      get url() {
        return server.url;
      },
      kill9: () => server.kill(),
      restart: async () => {
        server = await start();
      },
    });
  } finally {
    await server.kill();
    await rm(dataDir, { recursive: true, force: true });
  }
}
