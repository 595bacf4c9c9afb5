import { PGlite } from "@electric-sql/pglite";
import pg from "pg";
import { createPool } from "slonik";
import t from "tap";
import { checkMigrations, type DbLike, migrate, toDb } from "../../src/index.ts";
import { testDatabase } from "../support/database.ts";
import { migrationFiles } from "./migration-files.ts";

t.setTimeout(120_000);

t.test("installs into an empty database, and then has nothing to do", async (t) => {
  const { url, pool } = await testDatabase(t, { template: false });
  const before = await checkMigrations(url);
  t.match(before, { upToDate: false, newer: false, installedVersion: null, pendingMigrations: migrationFiles });

  const lines: string[] = [];
  const report = await migrate(url, { log: (line) => lines.push(line) });
  t.equal(report.upToDate, false);
  t.same(report.migrations, before.pendingMigrations);
  t.same(report.objects, before.changedObjects, "every object, in order");
  t.equal(report.objects[0], "installer.sql");
  t.equal(report.objects.at(-1), "grants.sql");
  t.equal(report.partitions.length, 4, "this month and three ahead");
  t.match(
    lines.join("\n"),
    /migration 1_store.sql applied[\s\S]*objects installed[\s\S]*partition event_log_\d{4}_\d\d made/,
  );

  const { rows } = await pool.query("select * from daybook.append_event('account-1', 'Opened')");
  t.match(rows, [{ stream_version: "1" }]);

  const again = await migrate(url, { log: (line) => lines.push(line) });
  t.same(again, { upToDate: true, migrations: [], objects: [], partitions: [] });
  t.match(lines.at(-1), /^up to date: version \d/);
  t.match(await checkMigrations(url), { upToDate: true, pendingMigrations: [], changedObjects: [] });
});

t.test("up to date is seen in less than 300 ms, with no lock waited for", async (t) => {
  const { url, pool } = await testDatabase(t);
  const holder = await pool.connect();
  t.teardown(() => holder.release());
  await holder.query("select pg_advisory_lock(1145196365, 0)");
  await holder.query(
    "begin; lock table daybook.event_log in access exclusive mode; select pg_advisory_xact_lock(1145196364, 0)",
  );
  const times: number[] = [];
  for (let i = 0; i < 5; i += 1) {
    const start = performance.now();
    t.equal((await migrate(url)).upToDate, true);
    times.push(performance.now() - start);
  }
  await holder.query("rollback");
  times.sort((a, b) => a - b);
  t.ok((times[2] ?? 1000) < 300, `median of five: ${times[2]?.toFixed(0)} ms`);
});

t.test("takes a pool, a client, a PGlite, or a Db made of one", async (t) => {
  const first = await testDatabase(t, { template: false });
  await first.pool.query("set search_path = public; set statement_timeout = '10s'");
  t.equal((await migrate(first.pool)).upToDate, false, "pool");
  const { rows } = await first.pool.query(
    "select current_setting('search_path') as path, current_setting('statement_timeout') as timeout",
  );
  t.same(rows, [{ path: "public", timeout: "10s" }], "the pool's connection is given back as it was");
  t.equal((await migrate(toDb(first.pool))).upToDate, true, "the Db of the pool");

  const second = await testDatabase(t, { template: false });
  const client = new pg.Client(second.url);
  await client.connect();
  t.equal((await migrate(client)).upToDate, false, "client");
  t.equal((await migrate(client)).upToDate, true);
  const { rows: locks } = await client.query(
    "select from pg_locks where locktype = 'advisory' and pid = pg_backend_pid()",
  );
  t.same(locks, [], "no lock is left");
  await client.end();

  const pglite = new PGlite();
  const [one, two] = await Promise.all([migrate(pglite), migrate(pglite)]);
  t.not(one.upToDate, two.upToDate, "PGlite, twice at once: one of them does it");
  t.match(await checkMigrations(pglite), { upToDate: true });
  await pglite.close();
});

t.test("refuses what is no connection of its own", async (t) => {
  const { url, pool } = await testDatabase(t);
  const refused = async (name: string, db: DbLike) =>
    t.rejects(migrate(db), { name: "MigrationError", code: "YD903", hint: /connection string/ }, name);

  const slonik = await createPool(url);
  await refused("a pool of slonik", slonik);
  t.match(await checkMigrations(slonik), { upToDate: true }, "which can be checked, though");
  await slonik.end();

  const client = await pool.connect();
  await client.query("begin");
  await refused("a client in a transaction", client);
  await client.query("rollback");
  client.release();
  await toDb(pool).transaction((tx) => refused("a transaction", tx));
});

t.test("makes the partitions that have become due", async (t) => {
  const { url, pool } = await testDatabase(t);
  await pool.query("select daybook.configure('partitions_ahead', '6')");
  const report = await migrate(url);
  t.equal(report.partitions.length, 3);
  t.same({ ...report, partitions: [] }, { upToDate: false, migrations: [], objects: [], partitions: [] });
  t.equal((await migrate(url)).upToDate, true);
});

t.test("its own tables are commented", async (t) => {
  const { pool } = await testDatabase(t);
  const { rows } = await pool.query(`
    select c.relname, a.attname, col_description(c.oid, a.attnum) as said, obj_description(c.oid) as of_table
      from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attnum > 0
     where c.oid = any (array['daybook.migrations', 'daybook.installed_objects', 'daybook.installation']::regclass[])`);
  t.equal(rows.length, 11);
  t.same(
    rows.filter((row) => !row.said || !row.of_table),
    [],
  );
});
