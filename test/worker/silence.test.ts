import { setTimeout as sleep } from "node:timers/promises";
import pg from "pg";
import t from "tap";
import { defineHandler } from "../../src/handlers/index.ts";
import { testDatabase } from "../support/database.ts";
import { startProxy } from "../support/proxy.ts";
import { append, effects, effectsTable, eventually, work } from "./support.ts";

/* Connections behind which there is nobody any more, in the middle of a batch: no error says so. */

t.setTimeout(180_000);

/** Milliseconds for a statement; the drain's own have no more. */
const limit = 1500;

for (const place of ["before the effect", "behind it"] as const) {
  for (const source of ["a URL", "a pool"] as const) {
    t.test(`all connections of a worker fall silent ${place}; it is alone, and given ${source}`, async (t) => {
      const database = await testDatabase(t);
      await effectsTable(database);
      const proxy = await startProxy(t, database.url);
      const pool = new pg.Pool({ connectionString: proxy.url, max: 6, connectionTimeoutMillis: 2000 });
      pool.on("error", () => undefined);
      t.teardown(() => pool.end());
      let calls = 0;
      const fallSilent = async (here: typeof place) => {
        if (here !== place || calls !== 15) return;
        proxy.blackhole();
        // long enough for all connections to notice, also those made meanwhile
        setTimeout(proxy.heal, 6000);
      };
      const handler = defineHandler({
        name: "silent",
        subscribesTo: ["*"],
        async handle(event, { tx }) {
          calls += 1;
          await fallSilent("before the effect");
          await tx.query("insert into effects (handler, position, stream, version) values ('silent', $1, $2, $3)", [
            event.position,
            event.streamId,
            event.version,
          ]);
          await fallSilent("behind it");
        },
      });
      const { worker } = await work(t, database, {
        db: source === "a URL" ? proxy.url : pool,
        handlers: [handler],
        statementTimeout: limit,
      });
      const all = [...(await append(database, "a-1", 20)), ...(await append(database, "a-2", 20))];
      await eventually(() => calls >= 15);
      const began = performance.now();
      await eventually(async () => (await effects(database, "silent")).length >= all.length, 60_000);
      t.comment(`after ${Math.round(performance.now() - began)} ms`);
      all.push(...(await append(database, "a-1", 5)));
      await eventually(async () => (await effects(database, "silent")).length >= all.length, 30_000);
      await sleep(200);
      t.same(await effects(database, "silent"), all, "each once, in order");
      t.ok(calls > all.length, "what was silent is done again");
      t.same(
        (await database.pool.query("select from daybook.dead_letters union all select from daybook.parked")).rows,
        [],
      );
      await eventually(() => worker.status().isListening, 30_000);
    });
  }
}

t.test("a statement of a handler may take as long as is set, and no longer", async (t) => {
  const database = await testDatabase(t);
  await effectsTable(database);
  let tries = 0;
  const handler = defineHandler({
    name: "slow",
    subscribesTo: ["*"],
    retry: { attempts: 5, baseDelay: 50, maxDelay: 50 },
    async handle(event, { tx }) {
      tries += 1;
      await tx.query("select pg_sleep($1)", [tries <= 2 ? 60 : 0.7]);
      await tx.query("insert into effects (handler, position) values ('slow', $1)", [event.position]);
    },
  });
  await work(t, database, { handlers: [handler], statementTimeout: limit });
  const all = await append(database, "a-1");
  await eventually(async () => (await effects(database, "slow")).length === 1, 30_000);
  t.same(await effects(database, "slow"), all);
  t.equal(tries, 3);
  const sleeping =
    "select from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid() and query ~ 'pg_sleep' and state = 'active'";
  await eventually(async () => (await database.pool.query(sleeping)).rowCount === 0, 10_000);
});
