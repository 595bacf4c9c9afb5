import { randomBytes } from "node:crypto";
import pg from "pg";
import type { Test } from "tap";
import { fromPg } from "../../src/adapters/pg.ts";
import type { Db } from "../../src/db.ts";
import { withClient, withDatabase } from "./admin.ts";
import { type TestServer, testServer } from "./server.ts";
import { templateDatabase } from "./template.ts";

/** A database for one test, or for all tests of a file. */
export interface TestDatabase {
  readonly name: string;
  /** As the server's superuser. */
  readonly url: string;
  readonly pool: pg.Pool;
  /** The pool, as Daybook's functions take it. */
  readonly db: Db;
  /** The server it lives in. */
  readonly server: TestServer;
  /** Login roles made for it, which go with it. */
  readonly logins: string[];
}

/**
 * A fresh database, dropped when the test ends: a clone of the run's migrated template, or an empty one.
 *
 * @param options.template false for an empty one
 */
export async function testDatabase(t: Test, options: { template?: boolean } = {}): Promise<TestDatabase> {
  const server = await testServer();
  const name = `daybook_test_${server.run}_${randomBytes(5).toString("hex")}`;
  const template = options.template === false ? "template0" : await templateDatabase(server);
  await withClient(server.url, (admin) => createFrom(admin, name, template));
  const url = withDatabase(server.url, name);
  const pool = new pg.Pool({ connectionString: url, max: 10, allowExitOnIdle: true });
  // The database may be dropped, or its server killed, while connections are idle.
  pool.on("error", () => undefined);
  const database = { name, url, pool, db: fromPg(pool), server, logins: [] };
  t.teardown(() => drop(database));
  return database;
}

/** Two clones at once are fine; a background worker that looks into the template just then is not. */
async function createFrom(admin: pg.Client, name: string, template: string): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      await admin.query(`create database ${pg.escapeIdentifier(name)} template ${pg.escapeIdentifier(template)}`);
      return;
    } catch (error) {
      if (!(error instanceof pg.DatabaseError && error.code === "55006" && attempt < 5)) throw error;
    }
  }
}

async function drop({ name, pool, server, logins }: TestDatabase): Promise<void> {
  await pool.end();
  await withClient(server.url, async (admin) => {
    await admin.query(`drop database if exists ${pg.escapeIdentifier(name)} with (force)`);
    // What they own and may do was in the database, and went with it.
    for (const login of logins) await admin.query(`drop role if exists ${pg.escapeIdentifier(login)}`);
  });
}
