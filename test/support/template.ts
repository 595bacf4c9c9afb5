import pg from "pg";
import { withClient, withDatabase } from "./admin.ts";
import type { TestServer } from "./server.ts";

/**
 * The database that the others of a run are cloned from: migrated once, by whichever test file comes first. With
 * `DAYBOOK_MUTATION` one of the store's rules is broken in it, for the tests to notice.
 */
export async function templateDatabase(server: TestServer): Promise<string> {
  const mutation = process.env.DAYBOOK_MUTATION ?? "";
  const name = `daybook_template_${server.run}${mutation && `_${mutation.replaceAll(/\W/g, "_")}`}`;
  await withClient(server.url, async (admin) => {
    await admin.query("select pg_advisory_lock(hashtextextended($1, 0))", [name]);
    const { rowCount } = await admin.query("select from pg_database where datname = $1", [name]);
    if (rowCount === 0) await build(server, admin, name, mutation);
  });
  return name;
}

/** Drops every database of a run. */
export async function dropDatabases(server: TestServer): Promise<void> {
  await withClient(server.url, async (admin) => {
    const pattern = `daybook\\_(test|template)\\_${server.run}%`;
    const { rows } = await admin.query<{ datname: string }>(
      "select datname from pg_database where datname similar to $1 escape '\\'",
      [pattern],
    );
    for (const { datname } of rows) await admin.query(`drop database ${pg.escapeIdentifier(datname)} with (force)`);
  });
}

/** It gets its name when it is complete. */
async function build(server: TestServer, admin: pg.Client, name: string, mutation: string): Promise<void> {
  const draft = `${name}_draft`;
  const url = withDatabase(server.url, draft);
  await admin.query(`drop database if exists ${pg.escapeIdentifier(draft)} with (force)`);
  await admin.query(`create database ${pg.escapeIdentifier(draft)} template template0 encoding 'UTF8'`);
  const { migrate } = await import("../../src/migrate/index.ts");
  await migrate(url);
  if (mutation) {
    const { mutationSql } = await import("../mutations/mutations.ts");
    await withClient(url, (client) => client.query(mutationSql(mutation)));
  }
  await admin.query(`alter database ${pg.escapeIdentifier(draft)} rename to ${pg.escapeIdentifier(name)}`);
}
