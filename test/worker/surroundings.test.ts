import { setTimeout as sleep } from "node:timers/promises";
import pg from "pg";
import t from "tap";
import { defineHandler } from "../../src/handlers/index.ts";
import { defineRoute } from "../../src/outbox/index.ts";
import { subscribe } from "../../src/subscribe/index.ts";
import { testDatabase } from "../support/database.ts";
import { pgbouncerMissing, startPgbouncer } from "../support/pgbouncer.ts";
import { roleLogin } from "../support/roles.ts";
import { append, effects, effectsTable, eventually, work } from "./support.ts";

/* Where workers run: behind a pooler, as a role with few rights, beside an application's own jobs. */

t.setTimeout(120_000);

const writer = (name: string) =>
  defineHandler({
    name,
    subscribesTo: ["*"],
    async handle(event, { tx }) {
      await tx.query("insert into effects (handler, position, stream, version) values ($1, $2, $3, $4)", [
        name,
        event.position,
        event.streamId,
        event.version,
      ]);
    },
  });

t.test(
  "through PgBouncer in transaction mode, all but the listening connection",
  { skip: pgbouncerMissing },
  async (t) => {
    const database = await testDatabase(t);
    await effectsTable(database);
    const pooled = await startPgbouncer(t, database.url);
    const options = { handlers: [writer("pooled")], db: pooled, directUrl: database.url, prepare: false };
    const [one, two] = [await work(t, database, options), await work(t, database, options)];
    const all: number[] = [];
    for (let i = 0; i < 5; i += 1) {
      all.push(...(await append(database, `a-${i}`, 10)));
      const began = performance.now();
      await eventually(async () => (await effects(database, "pooled")).length === all.length);
      t.ok(performance.now() - began < 1000);
      await sleep(i % 2 === 0 ? 800 : 10);
    }
    t.same(await effects(database, "pooled"), all);
    const { rows } = await database.pool.query("select is_alive from daybook.workers_alive");
    t.same(rows, [{ is_alive: true }, { is_alive: true }]);
    for (const { facts } of [one, two])
      t.same(
        facts.filter(({ level }) => level !== "info"),
        [],
      );

    const pool = new pg.Pool({ connectionString: pooled });
    pool.on("error", () => undefined);
    t.teardown(() => pool.end());
    const { fromPg } = await import("../../src/adapters/pg.ts");
    const stop = new AbortController();
    const seen: number[] = [];
    const following = (async () => {
      const events = subscribe(fromPg(pool, { prepare: false }), { directUrl: database.url, signal: stop.signal });
      for await (const event of events) seen.push(Number(event.position));
    })().catch(() => undefined);
    await eventually(() => seen.length === all.length);
    all.push(...(await append(database, "a-9", 2)));
    await eventually(() => seen.length === all.length);
    t.same(seen, all);
    stop.abort();
    await following;
  },
);

t.test("as daybook_worker, with a schema for its jobs", async (t) => {
  const database = await testDatabase(t);
  await effectsTable(database);
  const url = await roleLogin(database, { roles: ["daybook_worker"], tenants: ["*"] });
  const role = new URL(url).username;
  await database.pool.query(
    `grant all on effects to public; create schema own_jobs authorization ${pg.escapeIdentifier(role)}`,
  );
  await database.pool.query(
    `grant create on database ${pg.escapeIdentifier(database.name)} to ${pg.escapeIdentifier(role)}`,
  );
  const sent: unknown[] = [];
  // an administrator makes handlers and routes; the worker only runs them
  await database.pool.query("select daybook.create_handler('least'), daybook.create_route('out', 'memory')");
  const { worker, facts } = await work(t, database, {
    db: url,
    jobSchema: "own_jobs",
    handlers: [writer("least")],
    routes: [defineRoute({ name: "out", transport: "memory" })],
    transports: [
      {
        name: "memory",
        send: async (messages) => {
          sent.push(...messages);
          return messages.map(() => ({ ok: true }));
        },
        close: async () => undefined,
      },
    ],
  });
  const all = await append(database, "a-1", 5);
  await eventually(async () => (await effects(database, "least")).length === all.length && sent.length === all.length);
  t.same(
    facts.filter(({ level }) => level !== "info"),
    [],
  );
  await worker.stop();
  await database.pool.query(`drop schema own_jobs cascade`);
});

t.test("jobs of the application, and what nobody listens to", async (t) => {
  const database = await testDatabase(t);
  await effectsTable(database);
  const { worker } = await work(t, database, { handlers: [writer("beside")] });
  await database.pool.query("select graphile_worker.add_job('application:task', '{}')");
  await append(database, "a-1", 2);
  await eventually(async () => (await effects(database, "beside")).length === 2);
  const theirs = "select locked_by, attempts from graphile_worker.jobs where task_identifier = 'application:task'";
  t.same((await database.pool.query(theirs)).rows, [{ locked_by: null, attempts: 0 }], "it is left alone");
  const listening = "select from pg_stat_activity where datname = current_database() and query ilike 'listen%'";
  t.ok(((await database.pool.query(listening)).rowCount ?? 0) <= 1);
  t.equal(worker.status().handled, 2);
});

t.test("upkeep runs by cron, in one of the workers", async (t) => {
  const database = await testDatabase(t);
  const { facts } = await work(t, database, { upkeep: "* * * * *" });
  await eventually(
    async () =>
      (
        await database.pool.query(
          "select from graphile_worker._private_known_crontabs where identifier = 'daybook:upkeep'",
        )
      ).rowCount === 1,
  );
  await database.pool.query("select graphile_worker.add_job('daybook:upkeep', '{}')");
  await eventually(
    async () =>
      (await database.pool.query("select from graphile_worker.jobs where task_identifier = 'daybook:upkeep'"))
        .rowCount === 0,
  );
  t.same(
    facts.filter(({ level }) => level !== "info"),
    [],
  );
});

t.test("upkeep goes on until nothing is left to delete", async (t) => {
  const database = await testDatabase(t);
  await database.pool.query(
    `insert into daybook.processed_messages (tenant_id, consumer, message_id, processed_at)
     select 'default', 'mailer', i::text, now() - interval '31 days' from generate_series(1, 25000) i`,
  );
  await work(t, database, { upkeep: "0 0 1 1 *" });
  await database.pool.query("select graphile_worker.add_job('daybook:upkeep', '{}')");
  await eventually(async () => (await database.pool.query("select from daybook.processed_messages")).rowCount === 0);
});
