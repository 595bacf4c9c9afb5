import { PGlite } from "@electric-sql/pglite";
import { createPool } from "slonik";
import t, { type Test } from "tap";
import { type DbLike, migrate } from "../../src/index.ts";
import { testDatabase } from "./database.ts";

/** Makes a test of each driver: the same must hold through all of them. Each has a store of its own. */
export function throughEveryDriver(check: (t: Test, db: DbLike) => Promise<void>): void {
  t.test("pg, a pool", async (t) => check(t, (await testDatabase(t)).pool));

  t.test("pg, a client", async (t) => {
    const client = await (await testDatabase(t)).pool.connect();
    await check(t, client);
    client.release();
  });

  t.test("slonik", async (t) => {
    const { url } = await testDatabase(t);
    const pool = await createPool(url);
    await check(t, pool);
    await pool.end();
  });

  t.test("PGlite, in this process", async (t) => {
    const db = new PGlite();
    await migrate(db);
    await check(t, db);
    await db.close();
  });
}
