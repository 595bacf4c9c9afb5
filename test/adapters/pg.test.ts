import { setTimeout as sleep } from "node:timers/promises";
import pg from "pg";
import { createPool } from "slonik";
import t from "tap";
import { append, type DbLike, fromPg, isConnectionLoss, migrate, toDb } from "../../src/index.ts";
import { testCluster } from "../support/cluster.ts";
import { testDatabase } from "../support/database.ts";

t.setTimeout(120_000);

const event = { type: "Opened", data: {} };

t.test("one Db for one pool; a Db stays what it is; anything else is refused", async (t) => {
  const { pool } = await testDatabase(t);
  t.equal(toDb(pool), toDb(pool));
  const db = fromPg(pool);
  t.equal(toDb(db), db);
  const own = { query: async () => [], transaction: async () => Promise.reject(new Error("none")) };
  t.equal(toDb(own), own);
  t.throws(() => toDb({} as DbLike), TypeError);
});

t.test("a connection that is lost in a transaction ends it, and nothing else", async (t) => {
  const { pool, db } = await testDatabase(t);
  const lost = db.transaction(async (tx) => {
    const [row] = await tx.query<{ pid: number }>("select pg_backend_pid() as pid");
    await append(tx, { streamId: "account-1", events: event });
    await pool.query("select pg_terminate_backend($1)", [row?.pid]);
    await sleep(50);
    await tx.query("select 1");
  });
  const error = await lost.catch((thrown: unknown) => thrown);
  t.ok(error instanceof Error && isConnectionLoss(error));
  t.strictSame(await db.query("select count(*) as n from daybook.events"), [{ n: 0n }], "the pool goes on");
  t.equal(pool.totalCount, pool.idleCount, "no connection is kept");
});

t.test("a server that goes without a word is told from a refusal", async (t) => {
  const cluster = await testCluster(t);
  const pool = new pg.Pool({ connectionString: cluster.url });
  pool.on("error", () => undefined);
  const slonik = await createPool(cluster.url, { connectionRetryLimit: 0, queryRetryLimit: 0 });
  const sleeping = [pool, slonik].map((of) =>
    toDb(of)
      .query("select pg_sleep(60)")
      .catch((error: unknown) => error),
  );
  await sleep(500);
  await cluster.kill9();
  for (const error of await Promise.all(sleeping)) t.ok(isConnectionLoss(error), String(error));
  await t.rejects(toDb(pool).query("select 1"), { code: "ECONNREFUSED" });
  await pool.end();
  await slonik.end();
});

t.test("a commit that fails is an error, and the connection goes on", async (t) => {
  const { db, pool } = await testDatabase(t);
  await db.query("create table public.a (id int primary key, b int references public.a deferrable initially deferred)");
  await t.rejects(
    db.transaction((tx) => tx.query("insert into public.a values (1, 2)")),
    { code: "23503" },
  );
  t.strictSame(await db.query("select from public.a"), []);
  t.equal(pool.totalCount, 1);
});

t.test("names of prepared statements are used, or not", async (t) => {
  const { pool, db } = await testDatabase(t);
  const names = async (of: DbLike) =>
    toDb(of).transaction(async (tx) => {
      await tx.query("select 1 as one", [], { name: "daybook_test_one" });
      return tx.query("select name from pg_prepared_statements");
    });
  t.strictSame(await names(db), [{ name: "daybook_test_one" }]);
  await pool.query("deallocate all");
  t.strictSame(await names(fromPg(pool, { prepare: false })), []);
});

t.test("a client runs one transaction at a time", async (t) => {
  const { pool } = await testDatabase(t);
  const client = await pool.connect();
  t.teardown(() => client.release());
  const db = toDb(client);
  await db.transaction(async () => {
    await t.rejects(
      db.transaction(async () => undefined),
      { message: /one transaction at a time/ },
    );
  });
  await client.query("begin");
  await client.query("select 1 / 0").catch(() => undefined);
  await t.rejects(
    db.transaction(async () => undefined),
    { code: "25P02" },
    "an aborted one of the caller's stays so",
  );
  await client.query("rollback");
});

t.test("a database without Daybook says what to do", async (t) => {
  const { db, pool } = await testDatabase(t, { template: false });
  const call = () => append(db, { streamId: "account-1", events: event });
  await t.rejects(call(), { name: "NotInstalledError", code: "YD902", hint: /daybook migrate/ });
  await t.rejects(db.query("select * from other.thing"), { code: "42P01" }, "what is not ours stays as it is");
  await migrate(pool);
  t.match(await call(), { streamVersion: 1n });
});

t.test("an error costs no connection of a pool", async (t) => {
  const { url } = await testDatabase(t);
  const pool = new pg.Pool({ connectionString: url, max: 1 });
  pool.on("error", () => undefined);
  t.teardown(() => pool.end());
  const db = fromPg(pool);
  const backend = async () => (await db.query<{ pid: number }>("select pg_backend_pid() as pid"))[0]?.pid;
  const before = await backend();
  await t.rejects(db.query("select daybook.append_event('a-1', 'T', expected_version => 7)"), { code: "YD001" });
  t.equal(await backend(), before, "a conflict leaves the connection as it was");
  await t.rejects(db.query("select pg_terminate_backend(pg_backend_pid())"));
  t.not(await backend(), before, "a connection that is gone is replaced");
});
