import { setTimeout as sleep } from "node:timers/promises";
import t from "tap";
import { defineHandler, type HandlerContext } from "../../src/handlers/index.ts";
import { defineRoute } from "../../src/outbox/index.ts";
import type { StoredEvent } from "../../src/store/types.ts";
import type { OutboundMessage, Transport } from "../../src/transports/transport.ts";
import { startWorker } from "../../src/worker/index.ts";
import { testDatabase } from "../support/database.ts";
import { append, effects, effectsTable, eventually, work } from "./support.ts";

t.setTimeout(180_000);

const write = async (event: StoredEvent, { tx, handler }: HandlerContext) => {
  await tx.query("insert into effects (handler, position, stream, version) values ($1, $2, $3, $4)", [
    handler,
    event.position,
    event.streamId,
    event.version,
  ]);
};

const writer = (name: string, more: { shards?: number; types?: readonly string[]; from?: "now" } = {}) =>
  defineHandler({
    name,
    subscribesTo: more.types ?? ["*"],
    shards: more.shards,
    from: more.from,
    handle: write,
  });

function collector(name = "memory"): { transport: Transport; sent: OutboundMessage[] } {
  const sent: OutboundMessage[] = [];
  return {
    sent,
    transport: {
      name,
      send: async (messages) => {
        sent.push(...messages);
        return messages.map(() => ({ ok: true }));
      },
      close: async () => undefined,
    },
  };
}

t.test("it catches up, follows, and sends", async (t) => {
  const database = await testDatabase(t);
  await effectsTable(database);
  const before = await append(database, "a-1", 20);
  const { transport, sent } = collector();
  const { worker, facts } = await work(t, database, {
    handlers: [writer("all"), writer("rare", { types: ["Rare"] })],
    routes: [defineRoute({ name: "out", transport: "memory", categories: ["a"] })],
    transports: [transport],
  });
  await eventually(async () => (await effects(database, "all")).length === 20);
  const after = [...(await append(database, "a-1", 3)), ...(await append(database, "b-1", 2, "Rare"))];
  await eventually(async () => (await effects(database, "all")).length === 25);
  t.same(await effects(database, "all"), [...before, ...after]);
  await eventually(async () => (await effects(database, "rare")).length === 2);
  await eventually(() => sent.length === 3);
  t.same(
    sent.map(({ position }) => Number(position)),
    after.slice(0, 3),
  );
  t.equal(worker.status().state, "running");
  t.ok(worker.status().isListening);
  const behind = "select from daybook.cursors where position < (select max(position) from daybook.event_log)";
  await eventually(async () => (await database.pool.query(behind)).rowCount === 0);
  t.same(
    facts.filter(({ level }) => level !== "info"),
    [],
  );
  await worker.stop();
  t.equal(worker.status().state, "stopped");
  t.equal((await database.pool.query("select from daybook.workers")).rowCount, 0);
  t.equal(
    (await database.pool.query("select from graphile_worker.jobs where key is not null or locked_by is not null"))
      .rowCount,
    0,
  );
  const left =
    "select from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid() and application_name like 'daybook%'";
  await eventually(async () => (await database.pool.query(left)).rowCount === 0);
});

t.test("a failing stream is retried when it is due, and a person's retry at once", async (t) => {
  const database = await testDatabase(t);
  await effectsTable(database);
  let isBroken = true;
  const attempts: number[] = [];
  const { facts } = await work(t, database, {
    handlers: [
      defineHandler({
        name: "poison",
        subscribesTo: ["*"],
        retry: { attempts: 3, baseDelay: 200, maxDelay: 400 },
        async handle(event, context) {
          if (event.type === "Poison" && isBroken) {
            attempts.push(performance.now());
            throw new Error("poison");
          }
          await write(event, context);
        },
      }),
    ],
  });
  const [poison] = await append(database, "a-1", 1, "Poison");
  const [behind] = await append(database, "a-1", 1);
  const [other] = await append(database, "b-1", 1);
  await eventually(async () => (await effects(database, "poison")).includes(other ?? 0));
  await eventually(
    async () => (await database.pool.query("select from daybook.dead_letters where state = 'waiting'")).rowCount === 1,
  );
  t.ok(attempts.length >= 3);
  t.same(await effects(database, "poison"), [other]);
  await sleep(1500);
  isBroken = false;
  const began = performance.now();
  await database.pool.query("select daybook.retry_dead_letters()");
  await eventually(async () => (await effects(database, "poison")).length === 3);
  t.ok(performance.now() - began < 500, `after ${performance.now() - began} ms`);
  t.same(await effects(database, "poison"), [other, poison, behind]);
  t.same(
    facts.filter(({ level }) => level === "error"),
    [],
  );
});

t.test("many handlers share few places", async (t) => {
  const database = await testDatabase(t);
  await effectsTable(database);
  const names = Array.from({ length: 8 }, (_, i) => `h${i}`);
  await work(t, database, { handlers: names.map((name) => writer(name)), concurrency: 2 });
  for (let round = 0; round < 3; round += 1) {
    await append(database, "a-1", 5);
    const began = performance.now();
    for (const name of names) {
      await eventually(async () => (await effects(database, name)).length === (round + 1) * 5);
    }
    t.ok(performance.now() - began < 3000, `${(performance.now() - began).toFixed()} ms`);
  }
});

t.test("two workers share shards; the number of shards changes while they run", async (t) => {
  const database = await testDatabase(t);
  await effectsTable(database);
  const by = new Map<string, number>();
  const sharded = (worker: string, shards: number) =>
    defineHandler({
      name: "sharded",
      subscribesTo: ["*"],
      shards,
      async handle(event, context) {
        by.set(worker, (by.get(worker) ?? 0) + 1);
        await write(event, context);
      },
    });
  const one = await work(t, database, { handlers: [sharded("one", 4)], concurrency: 2 });
  const two = await work(t, database, { handlers: [sharded("two", 4)], concurrency: 2 });
  const all: number[] = [];
  let isOver = false;
  const writers = [0, 1, 2].map(async (n) => {
    while (!isOver) all.push(...(await append(database, `s-${n}${Math.floor(Math.random() * 10)}`)));
  });
  await sleep(1500);
  const three = await work(t, database, { handlers: [sharded("three", 2)], concurrency: 2 });
  await sleep(1500);
  isOver = true;
  await Promise.all(writers);
  await eventually(async () => (await effects(database, "sharded")).length >= all.length, 20_000);
  t.same(
    (await effects(database, "sharded")).toSorted((a, b) => a - b),
    all.toSorted((a, b) => a - b),
    "each exactly once",
  );
  const { rows } = await database.pool.query(
    "select stream from (select stream, version, row_number() over (partition by stream order by at) as place from effects) e where version <> place",
  );
  t.same(rows, [], "each stream in order");
  t.ok((by.get("one") ?? 0) > 0 && (by.get("two") ?? 0) > 0, JSON.stringify([...by]));
  await eventually(
    async () => (await database.pool.query("select from daybook.cursors where name = 'sharded'")).rowCount === 2,
  );
  for (const { facts } of [one, two, three])
    t.same(
      facts.filter(({ level }) => level === "error"),
      [],
    );
});

t.test("stop finishes what is in hand; what takes longer gives up; a second stop leaves at once", async (t) => {
  const database = await testDatabase(t);
  await effectsTable(database);
  let began = 0;
  const slow = (time: number) =>
    defineHandler({
      name: "slow",
      subscribesTo: ["*"],
      async handle(event, context) {
        began += 1;
        await sleep(time, undefined, { signal: context.signal });
        await write(event, context);
      },
    });
  const [first, second, third] = [
    await append(database, "a-1"),
    await append(database, "a-2"),
    await append(database, "a-3"),
  ];
  const one = await work(t, database, { handlers: [slow(600)] });
  await eventually(() => began === 1);
  await one.worker.stop();
  t.same(await effects(database, "slow"), first, "it was finished, and the next one not begun");

  const two = await work(t, database, { handlers: [slow(60_000)], stopTimeout: 300 });
  await eventually(() => began === 2);
  let since = performance.now();
  await two.worker.stop();
  t.ok(performance.now() - since < 1500, `${(performance.now() - since).toFixed()} ms`);
  t.same(await effects(database, "slow"), first);

  const three = await work(t, database, { handlers: [slow(60_000)], stopTimeout: 60_000 });
  await eventually(() => began === 3);
  since = performance.now();
  const stopping = three.worker.stop();
  await sleep(100);
  await three.worker.stop();
  await stopping;
  t.ok(performance.now() - since < 1500, `${(performance.now() - since).toFixed()} ms`);

  const four = await work(t, database, { handlers: [slow(1)] });
  await eventually(async () => (await effects(database, "slow")).length === 3);
  t.same(await effects(database, "slow"), [...first, ...second, ...third]);
  t.same(
    four.facts.filter(({ level }) => level === "error"),
    [],
  );
  t.same((await database.pool.query("select from daybook.parked_streams")).rows, [], "giving up is no failure");
});

t.test("wrong options are refused", async (t) => {
  const handler = writer("twice");
  await t.rejects(
    startWorker({ db: "postgres://127.0.0.1:1/x", handlers: [handler, handler] }),
    /two handlers named twice/,
  );
  await t.rejects(startWorker({ db: "postgres://127.0.0.1:1/x", concurrency: 0 }), /concurrency is a whole number/);
  await t.rejects(
    startWorker({ db: "postgres://127.0.0.1:1/x", routes: [defineRoute({ name: "r", transport: "nowhere" })] }),
    /transport nowhere, which is not among/,
  );
  const stop = new AbortController();
  const starting = startWorker({ db: "postgres://127.0.0.1:1/x", handlers: [handler], signal: stop.signal });
  setTimeout(() => stop.abort(new Error("enough")), 100);
  await t.rejects(starting, { message: "enough" }, "a database that is away is waited for");
});
