import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import t, { type Test } from "tap";
import { defineHandler } from "../../src/handlers/index.ts";
import { type TestDatabase, testDatabase } from "../support/database.ts";
import { startProxy } from "../support/proxy.ts";
import { append, effects, effectsTable, eventually, work } from "./support.ts";

t.setTimeout(240_000);

const writer = (name: string, time = 0) =>
  defineHandler({
    name,
    subscribesTo: ["*"],
    async handle(event, { tx }) {
      if (time > 0) await sleep(time);
      await tx.query("insert into effects (handler, position, stream, version) values ($1, $2, $3, $4)", [
        name,
        event.position,
        event.streamId,
        event.version,
      ]);
    },
  });

async function handled(
  database: TestDatabase,
  handler: string,
  position: number | undefined,
  most: number,
): Promise<number> {
  const began = performance.now();
  await eventually(async () => (await effects(database, handler)).includes(position ?? 0), most);
  return performance.now() - began;
}

t.test("the listening connection is cut", async (t) => {
  const database = await testDatabase(t);
  await effectsTable(database);
  const { worker } = await work(t, database, { handlers: [writer("cut")] });
  for (let i = 0; i < 4; i += 1) {
    await eventually(() => worker.status().isListening);
    await database.pool.query(
      `select pg_terminate_backend(l.pid, 5000) from pg_locks l
        where l.classid = 1145196367 and l.database = (select oid from pg_database where datname = current_database())`,
    );
    const [position] = await append(database, "a-1");
    t.ok((await handled(database, "cut", position, 5000)) < 2000);
  }
  await eventually(() => worker.status().isListening);
  const alive = "select worker from daybook.workers_alive where is_alive";
  await eventually(async () => (await database.pool.query(alive)).rows[0]?.worker === worker.status().id);
});

t.test("what a person does while nobody listens is not left to the safety poll", async (t) => {
  const database = await testDatabase(t);
  await effectsTable(database);
  const { worker } = await work(t, database, { handlers: [writer("deaf")] });
  await eventually(() => worker.status().isListening);
  await database.pool.query("select daybook.pause_handler('deaf')");
  const [position] = await append(database, "a-1");
  // until it has seen that there is nothing to do
  await sleep(2000);
  const client = await database.pool.connect();
  await client.query("begin");
  await client.query("select daybook.resume_handler('deaf')");
  await client.query(
    `select pg_terminate_backend(l.pid, 5000) from pg_locks l
      where l.classid = 1145196367 and l.database = (select oid from pg_database where datname = current_database())`,
  );
  await client.query("commit");
  client.release();
  t.ok((await handled(database, "deaf", position, 5000)) < 3000);
});

t.test("the listening connection falls silent", async (t) => {
  const database = await testDatabase(t);
  await effectsTable(database);
  const proxy = await startProxy(t, database.url);
  const { worker } = await work(t, database, { handlers: [writer("silent")], directUrl: proxy.url });
  await append(database, "a-1");
  await eventually(async () => (await effects(database, "silent")).length === 1);
  await sleep(1000);
  proxy.blackhole();
  const [position] = await append(database, "a-1");
  t.ok((await handled(database, "silent", position, 15_000)) < 10_000);
  proxy.heal();
  await eventually(() => worker.status().isListening, 15_000);
});

t.test("the database is away for a while", async (t) => {
  const database = await testDatabase(t);
  await effectsTable(database);
  const proxy = await startProxy(t, database.url);
  proxy.cut();
  const starting = work(t, database, { handlers: [writer("away", 5)], db: proxy.url });
  await sleep(500);
  proxy.heal();
  const { worker } = await starting;
  const all: number[] = [];
  for (let i = 0; i < 3; i += 1) {
    all.push(...(await append(database, "a-1", 40)));
    await sleep(Math.random() * 200);
    proxy.cut();
    all.push(...(await append(database, "a-2", 5)));
    await sleep(500);
    proxy.heal();
    await handled(database, "away", all.at(-1), 20_000);
  }
  await eventually(async () => (await effects(database, "away")).length === all.length);
  t.same(
    (await effects(database, "away")).toSorted((a, b) => a - b),
    all,
  );
  t.equal(worker.status().state, "running");
  await eventually(() => worker.status().isListening && worker.status().id !== undefined);
});

t.test("the server's connections are all ended, while a batch is in hand", async (t) => {
  const database = await testDatabase(t);
  await effectsTable(database);
  const { worker } = await work(t, database, { handlers: [writer("ended", 10)] });
  const all: number[] = [];
  for (let i = 0; i < 4; i += 1) {
    all.push(...(await append(database, "a-1", 30)));
    await sleep(100 + Math.random() * 200);
    await database.pool.query(
      `select pg_terminate_backend(pid, 5000) from pg_stat_activity
        where datname = current_database() and pid <> pg_backend_pid() and application_name like 'daybook%'`,
    );
  }
  await eventually(async () => (await effects(database, "ended")).length >= all.length, 30_000);
  t.same(await effects(database, "ended"), all, "each once, in order");
  await eventually(
    async () => (await database.pool.query("select from daybook.workers_alive where is_alive")).rowCount === 1,
  );
  await worker.stop();
  t.equal((await database.pool.query("select from daybook.workers")).rowCount, 0);
  t.equal((await database.pool.query("select from graphile_worker.jobs where locked_by is not null")).rowCount, 0);
});

async function startProgram(t: Test, database: TestDatabase, name: string, time: number): Promise<ChildProcess> {
  const program = fileURLToPath(new URL("./program.ts", import.meta.url));
  const child = fork(program, [database.url, name, String(time)], { execPath: process.execPath, execArgv: [] });
  t.teardown(() => child.kill("SIGKILL"));
  await once(child, "message");
  return child;
}

t.test("a worker is killed: another takes over within ten seconds, and effects happen once", async (t) => {
  const database = await testDatabase(t);
  await effectsTable(database);
  const all: number[] = [];
  let [a, b] = [await startProgram(t, database, "a", 5), await startProgram(t, database, "b", 5)];
  for (let i = 0; i < 3; i += 1) {
    for (let n = 0; n < 12; n += 1) all.push(...(await append(database, `k-${n}`, 10)));
    await sleep(150 + Math.random() * 200);
    a.kill("SIGKILL");
    const killed = performance.now();
    await once(a, "exit");
    all.push(...(await append(database, `k-${i}`, 1)));
    await eventually(async () => (await effects(database, "killed")).length >= all.length, 20_000);
    t.ok(performance.now() - killed < 10_000, `${(performance.now() - killed).toFixed()} ms`);
    [a, b] = [b, await startProgram(t, database, `b${i}`, 5)];
  }
  t.same(
    (await effects(database, "killed")).toSorted((a, b) => a - b),
    all,
  );
  const { rows } = await database.pool.query(
    "select stream from (select stream, version, row_number() over (partition by stream order by at) as place from effects) e where version <> place",
  );
  t.same(rows, [], "each stream in order");
  await eventually(async () => (await database.pool.query("select from daybook.workers")).rowCount === 2);
});
