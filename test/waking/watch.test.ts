import { setTimeout as sleep } from "node:timers/promises";
import pg from "pg";
import t from "tap";
import { testDatabase } from "../support/database.ts";
import { startProxy } from "../support/proxy.ts";
import { append, eventually, sleepers, watched } from "./support.ts";

/* The safety poll is set to a minute throughout, so that nothing here is found by it. */

t.setTimeout(120_000);

t.test("each append to an idle store is seen at once", async (t) => {
  const database = await testDatabase(t);
  const { until, asleep } = await watched(t, database);
  const times: number[] = [];
  for (let i = 0; i < 300; i += 1) {
    await asleep();
    if (i % 3 === 1) await sleep(Math.random() * 40);
    times.push(await until(await append(database)));
  }
  times.sort((a, b) => a - b);
  t.ok((times.at(-1) ?? 0) < 500, `median ${times[150]?.toFixed(1)} ms, longest ${times.at(-1)?.toFixed(1)} ms`);
});

t.test("what is committed between the last look and the announcement is seen by the second look", async (t) => {
  const database = await testDatabase(t);
  const { pool } = database;
  // whoever falls asleep waits at a gate before it announces that
  await pool.query("alter function daybook.fall_asleep() rename to really_fall_asleep");
  await pool.query(`create function daybook.fall_asleep() returns text language plpgsql as $$
    begin
      perform pg_advisory_lock_shared(7007, 1), pg_advisory_unlock_shared(7007, 1);
      return daybook.really_fall_asleep();
    end $$`);
  const gate = await pool.connect();
  await gate.query("select pg_advisory_lock(7007, 1)");
  const { until } = await watched(t, database);
  const waits = "select from pg_locks where locktype = 'advisory' and classid = 7007 and not granted";
  await eventually(async () => (await pool.query(waits)).rowCount === 1);
  const position = await append(database);
  await gate.query("select pg_advisory_unlock(7007, 1)");
  gate.release();
  t.ok((await until(position, 2000)) < 500);
});

t.test("an append in flight that is rolled back releases what lies behind it", async (t) => {
  const database = await testDatabase(t);
  const { until, asleep, watch } = await watched(t, database);
  await asleep();
  const client = await database.pool.connect();
  await client.query("begin");
  await client.query("select daybook.append_event('watched-2', 'Tested')");
  const behind = await append(database);
  await sleep(200);
  t.ok((watch.horizon ?? 0n) < behind, "not yet");
  await client.query("rollback");
  client.release();
  t.ok((await until(behind)) < 500);
});

t.test("a rider whose sleeper is killed misses nothing, though another sleeper comes", async (t) => {
  const database = await testDatabase(t);
  const [one, two] = [new pg.Client(database.url), new pg.Client(database.url)];
  for (const client of [one, two]) {
    client.on("error", () => undefined);
    await client.connect();
    t.teardown(() => client.end().catch(() => undefined));
  }
  await one.query("select daybook.fall_asleep()");
  const rider = await watched(t, database);
  await eventually(async () => (await sleepers(database)) === 2);
  await database.pool.query(
    "select pg_terminate_backend(pid, 5000) from pg_locks where objid = 0 and classid = 1145196366 and database = (select oid from pg_database where datname = current_database())",
  );
  const position = await append(database);
  await two.query("select daybook.fall_asleep()");
  t.ok((await rider.until(position)) < 1500);
});

t.test("several watchers see everything, one after the other falling asleep", async (t) => {
  const database = await testDatabase(t);
  const all = [await watched(t, database), await watched(t, database), await watched(t, database)];
  for (let i = 0; i < 30; i += 1) {
    await eventually(async () => (await sleepers(database)) === 3);
    const position = await append(database);
    for (const one of all) t.ok((await one.until(position)) < 500);
  }
  await all[0]?.watch.stop();
  await all[1]?.watch.stop();
  t.ok(((await all[2]?.until(await append(database))) ?? 1000) < 1500);
});

t.test("the listening connection is cut", async (t) => {
  const database = await testDatabase(t);
  const { until, asleep, facts } = await watched(t, database);
  for (let i = 0; i < 5; i += 1) {
    await asleep();
    await database.pool.query(
      "select pg_terminate_backend(pid, 5000) from pg_locks where classid = 1145196366 and database = (select oid from pg_database where datname = current_database())",
    );
    t.ok((await until(await append(database))) < 1000);
  }
  t.ok(facts.filter(({ type }) => type === "listening-lost").length >= 5);
});

t.test("the listening connection falls silent", async (t) => {
  const database = await testDatabase(t);
  const proxy = await startProxy(t, database.url);
  const { until, asleep, facts } = await watched(t, database, { connection: { connectionString: proxy.url } });
  await asleep();
  proxy.blackhole();
  const took = await until(await append(database), 10_000);
  t.ok(took < 9000, `seen after ${took.toFixed()} ms, past the connection`);
  t.ok((await until(await append(database))) < 1000, "while there is none");
  proxy.heal();
  await eventually(() => facts.filter(({ type }) => type === "listening").length === 2);
  await asleep();
  t.ok((await until(await append(database))) < 500, "and asleep again");
});

t.test("a busy log is looked at, and nobody notifies", async (t) => {
  const database = await testDatabase(t);
  const { until } = await watched(t, database);
  const ear = new pg.Client(database.url);
  await ear.connect();
  t.teardown(() => ear.end());
  let heard = 0;
  ear.on("notification", () => {
    heard += 1;
  });
  await ear.query("listen daybook");
  let count = 0;
  let last = 0n;
  const began = performance.now();
  const writers = Array.from({ length: 4 }, async (_, i) => {
    while (performance.now() - began < 1500) {
      last = await append(database, `watched-${i}`);
      count += 1;
    }
  });
  await Promise.all(writers);
  await until(last);
  t.ok(heard < count / 20, `${heard} notifications for ${count} appends`);
});

t.test("the database goes away for a while", async (t) => {
  const database = await testDatabase(t);
  const proxy = await startProxy(t, database.url);
  const away = new pg.Pool({ connectionString: proxy.url });
  away.on("error", () => undefined);
  t.teardown(() => away.end());
  const { fromPg } = await import("../../src/adapters/pg.ts");
  const { until, facts } = await watched(t, database, {
    db: fromPg(away),
    connection: { connectionString: proxy.url },
  });
  await until(await append(database));
  proxy.cut();
  const position = await append(database);
  await eventually(() => facts.some(({ type }) => type === "look-failed"));
  proxy.heal();
  t.ok((await until(position, 8000)) < 7000);
});

t.test("it stops at once, whatever it is doing", async (t) => {
  const database = await testDatabase(t);
  for (let i = 0; i < 60; i += 1) {
    const { watch } = await watched(t, database);
    await sleep(i / 2);
    const began = performance.now();
    await watch.stop();
    t.ok(performance.now() - began < 2000);
  }
});
