import { readdir, readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import pg from "pg";

/**
 * Installs message-db from its npm package into an empty database: its own SQL files in its own order, through one
 * connection instead of its shell script, which wants psql.
 *
 * @param url the database
 */
export async function installMessageDb(url: string): Promise<void> {
  const home = join(dirname(createRequire(import.meta.url).resolve("@eventide/message-db/package.json")), "database");
  const client = new pg.Client(url);
  await client.connect();
  try {
    for (const file of [
      "roles/message-store.sql",
      "schema/message-store.sql",
      "extensions/pgcrypto.sql",
      "tables/messages.sql",
      "types/message.sql",
    ]) {
      await client.query(await readFile(join(home, file), "utf8"));
    }
    for (const folder of ["functions", "indexes"]) {
      await client.query("set check_function_bodies = off");
      for (const file of (await readdir(join(home, folder))).filter((one) => one.endsWith(".sql")).sort()) {
        await client.query(await readFile(join(home, folder, file), "utf8"));
      }
    }
  } finally {
    await client.end();
  }
}
