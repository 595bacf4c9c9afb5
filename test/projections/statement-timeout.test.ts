import pg from "pg";
import t from "tap";
import { defineProjection, drainProjection, projectionStatus, registerProjection } from "../../src/index.ts";
import { testDatabase } from "../support/database.ts";
import { tell, visits } from "./support.ts";

/** Workers' statements have a limit: a batch that takes longer is undone, and a smaller one is tried. */

const projection = defineProjection({ name: "visits", apply: "app.slow", tables: visits });
const slow = (each: string) => `
  create schema if not exists app; grant usage on schema app to public;
  create or replace function app.slow(event daybook.event) returns void language plpgsql as $$ begin
    perform pg_sleep(${each});
    insert into visits values (event.position, event.stream_id);
  end $$`;

t.test("a batch that takes longer than a statement may is made smaller", async (t) => {
  const database = await testDatabase(t);
  const pool = new pg.Pool({ connectionString: database.url, max: 1, statement_timeout: 500 });
  t.teardown(() => pool.end());
  await database.pool.query(slow("0.03"));
  await registerProjection(database.db, projection);
  await tell(database.db, "a-1", 60);
  t.match(await drainProjection(pool, projection, { budget: 60_000 }), { handled: 60, outcome: "dry" });
  t.match(await projectionStatus(database.db), [{ behind: 0 }]);
});

t.test("one event that takes longer: it says so", async (t) => {
  const database = await testDatabase(t);
  const pool = new pg.Pool({ connectionString: database.url, max: 1, statement_timeout: 200 });
  t.teardown(() => pool.end());
  await database.pool.query(slow("30"));
  await registerProjection(database.db, projection);
  await tell(database.db, "a-1", 3);
  await t.rejects(drainProjection(pool, projection), { code: "57014" });
});
