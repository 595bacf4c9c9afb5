import { setTimeout as sleep } from "node:timers/promises";
import pg from "pg";
import t from "tap";
import { fromPg } from "../../src/adapters/pg.ts";
import type { Db } from "../../src/db.ts";
import { append as appendEvents } from "../../src/store/append.ts";
import type { StoredEvent } from "../../src/store/types.ts";
import { type SubscribeInput, subscribe } from "../../src/subscribe/index.ts";
import { createMemoryStore } from "../../src/testing/index.ts";
import { testDatabase } from "../support/database.ts";
import { startProxy } from "../support/proxy.ts";
import { eventually } from "../waking/support.ts";

t.setTimeout(120_000);

type Source = Parameters<typeof subscribe>[0];

/** Follows until it is told to stop; what it was given so far can be looked at. */
function collect(source: Source, input: SubscribeInput = {}) {
  const stop = new AbortController();
  const events: StoredEvent[] = [];
  const done = (async () => {
    try {
      for await (const event of subscribe(source, { safetyPoll: 60_000, ...input, signal: stop.signal }))
        events.push(event);
    } catch (error) {
      if (!stop.signal.aborted) throw error;
    }
  })();
  done.catch(() => undefined);
  return {
    events,
    done,
    positions: () => events.map((event) => Number(event.position)),
    stop: async () => {
      stop.abort();
      await done;
    },
  };
}

const some = (count: number, type = "Tested") => Array.from({ length: count }, (_, n) => ({ type, data: { n } }));

t.test("it catches up, then follows", async (t) => {
  const { pool, db } = await testDatabase(t);
  await appendEvents(db, { streamId: "a-1", events: some(25) });
  const found = collect(pool, { pageSize: 10 });
  await eventually(() => found.events.length === 25);
  for (let i = 0; i < 20; i += 1) {
    const { lastPosition } = await appendEvents(db, { streamId: "a-1", events: some(1) });
    const began = performance.now();
    await eventually(() => found.events.at(-1)?.position === lastPosition);
    t.ok(performance.now() - began < 500);
    if (i % 5 === 0) await sleep(150);
  }
  t.same(
    found.events.map((event) => Number(event.version)),
    Array.from({ length: 45 }, (_, i) => i + 1),
  );
  await found.stop();
});

t.test("from a position, from now, by type, by category, one stream", async (t) => {
  const { pool, db } = await testDatabase(t);
  const { lastPosition } = await appendEvents(db, { streamId: "a-1", events: some(3) });
  await appendEvents(db, { streamId: "b-1", events: [...some(2), ...some(1, "Rare")] });
  const all = collect(pool, { from: lastPosition });
  const now = collect(pool, { from: "now" });
  const rare = collect(pool, { types: ["Rare"], pageSize: 1 });
  const category = collect(pool, { categories: ["b"] });
  const stream = collect(pool, { stream: "a-1", from: 1 });
  const unborn = collect(pool, { stream: "c-1" });
  await eventually(() => category.events.length === 3 && stream.events.length === 2 && all.events.length === 3);
  await sleep(100);
  await appendEvents(db, { streamId: "a-1", events: some(1, "Rare") });
  await appendEvents(db, { streamId: "b-1", events: some(1) });
  await appendEvents(db, { streamId: "c-1", events: some(2) });
  await eventually(() => unborn.events.length === 2 && category.events.length === 4 && now.events.length === 4);
  await eventually(() => all.events.length === 7 && rare.events.length === 2 && stream.events.length === 3);
  t.same(
    all.positions().toSorted((a, b) => a - b),
    all.positions(),
  );
  t.same(
    now.events.map((e) => e.streamId),
    ["a-1", "b-1", "c-1", "c-1"],
  );
  t.same(
    rare.events.map((e) => e.type),
    ["Rare", "Rare"],
  );
  t.ok(category.events.every((e) => e.category === "b"));
  t.same(
    stream.events.map((e) => e.version),
    [2n, 3n, 4n],
  );
  for (const one of [all, now, rare, category, stream, unborn]) await one.stop();
  await t.rejects(subscribe(pool, { stream: "a-1", types: ["Rare"] }).next(), { code: "YD108" });
  await t.rejects(subscribe(pool, { from: -1 }).next(), { code: "YD108" });
});

t.test("connections are lost again and again: no gap and no repeat", async (t) => {
  const database = await testDatabase(t);
  const proxy = await startProxy(t, database.url);
  const pool = new pg.Pool({ connectionString: proxy.url, connectionTimeoutMillis: 2000 });
  pool.on("error", () => undefined);
  t.teardown(() => pool.end());
  const found = collect(pool, { pageSize: 7 });
  const byStream = collect(pool, { stream: "a-2", pageSize: 3 });
  const written: bigint[] = [];
  let isOver = false;
  const writers = [1, 2, 3].map(async (n) => {
    while (!isOver) {
      const result = await appendEvents(database.db, { streamId: `a-${n}`, events: some(2) });
      written.push(result.firstPosition, result.lastPosition);
      await sleep(Math.random() * 20);
    }
  });
  for (let i = 0; i < 8; i += 1) {
    await sleep(100 + Math.random() * 200);
    if (i % 2 === 0) {
      proxy.cut();
      await sleep(Math.random() * 200);
      proxy.heal();
    } else {
      await database.pool.query(
        "select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and query like '%read_settled%' and query not like '%pg_terminate_backend%'",
      );
    }
  }
  isOver = true;
  await Promise.all(writers);
  await eventually(() => found.events.length >= written.length);
  await eventually(() => byStream.events.length >= found.events.filter((e) => e.streamId === "a-2").length);
  t.same(
    found.positions(),
    written.map(Number).toSorted((a, b) => a - b),
  );
  t.same(
    byStream.events.map((e) => Number(e.version)),
    byStream.events.map((_, i) => i + 1),
  );
  await Promise.all([found.stop(), byStream.stop()]);
});

t.test("a slow loop has two pages in memory, and leaving it ends everything", async (t) => {
  const { pool, db } = await testDatabase(t);
  await appendEvents(db, { streamId: "a-1", events: some(500) });
  let reads = 0;
  const counting = {
    query: ((text, values, options) => {
      if (text.includes("read_settled")) reads += 1;
      return db.query(text, values, options);
    }) as typeof db.query,
    transaction: db.transaction,
  };
  let seen = 0;
  for await (const _ of subscribe(counting, { pageSize: 10 })) {
    seen += 1;
    if (seen === 5) {
      await sleep(200);
      t.equal(reads, 2);
    }
    if (seen === 15) break;
  }
  await sleep(300);
  t.ok(reads <= 3, `${reads} reads`);
  const { rows } = await pool.query(
    "select from pg_locks where classid = 1145196366 and database = (select oid from pg_database where datname = current_database())",
  );
  t.same(rows, [], "nobody sleeps");
});

t.test("a log that was set back stops it, loudly", async (t) => {
  const { pool, db } = await testDatabase(t);
  await appendEvents(db, { streamId: "a-1", events: some(10) });
  const found = collect(pool);
  await eventually(() => found.events.length === 10);
  await pool.query("select setval('daybook.positions', 5)");
  await pool.query("select pg_notify('daybook', '')");
  await t.rejects(found.done, { code: "YD403" });
  await t.rejects(subscribe(pool, { from: 100n }).next(), { code: "YD403" });
});

t.test("a signal ends it with its reason, before and while it waits", async (t) => {
  const { pool } = await testDatabase(t);
  await t.rejects(subscribe(pool, { signal: AbortSignal.abort(new Error("before")) }).next(), { message: "before" });
  const stop = new AbortController();
  const next = subscribe(pool, { signal: stop.signal }).next();
  await sleep(100);
  stop.abort(new Error("enough"));
  await t.rejects(next, { message: "enough" });
});

t.test("errors that do not pass are thrown", async (t) => {
  const { pool } = await testDatabase(t, { template: false });
  await t.rejects(subscribe(pool).next(), { code: "YD902" });
});

t.test("through a transaction pooler's connection, with a direct one to listen", async (t) => {
  const { url, pool, db } = await testDatabase(t);
  const client = new pg.Client(url);
  await client.connect();
  t.teardown(() => client.end());
  const found = collect(fromPg(client, { prepare: false }), { directUrl: url });
  const { lastPosition } = await appendEvents(db, { streamId: "a-1", events: some(1) });
  await eventually(() => found.events.at(-1)?.position === lastPosition);
  await eventually(
    async () =>
      (
        await pool.query(
          "select from pg_locks where classid = 1145196366 and database = (select oid from pg_database where datname = current_database())",
        )
      ).rowCount === 1,
  );
  await found.stop();
});

t.test("over PGlite it asks again and again", async (t) => {
  const store = await createMemoryStore();
  t.teardown(() => store.close());
  const found = collect(store.db);
  for (let i = 0; i < 3; i += 1) {
    await store.append({ streamId: "a-1", events: some(1) });
    await eventually(() => found.events.length === i + 1);
  }
  await found.stop();
});

t.test("a loop that is left while the database is away asks no more", async (t) => {
  const database = await testDatabase(t);
  await database.pool.query("select daybook.append_event('s-' || n, 'T') from generate_series(1, 5) n");
  let reads = 0;
  const db: Db = {
    ...database.db,
    query: async (text, values, options) => {
      if (text.includes("read_settled")) reads += 1;
      if (reads > 1) throw Object.assign(new Error("refused"), { code: "ECONNREFUSED" });
      return database.db.query(text, values, options);
    },
  };
  for await (const _event of subscribe(db, { pageSize: 2 })) {
    // the page behind the first is asked for already
    await eventually(() => reads > 1);
    break;
  }
  const before = reads;
  await sleep(400);
  t.equal(reads, before);
});
