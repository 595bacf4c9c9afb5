import t, { type Test } from "tap";
import { type Db, defineHandler, drainHandler, pauseHandler, registerHandler, resetHandler } from "../../src/index.ts";
import { testDatabase } from "../support/database.ts";
import { append, drainAll, effectNames, effectsTable, readEffects, value, writeEffect } from "./support.ts";

/** A handler whose code waits, where it is told to, until somebody lets it go on. */
async function gated(t: Test, waitsAt: (stream: string, version: bigint) => boolean) {
  const database = await testDatabase(t);
  await effectsTable(database);
  const gate = {
    reached: Promise.withResolvers<void>(),
    open: Promise.withResolvers<void>(),
    fails: new Set<string>(),
  };
  const handler = defineHandler({
    name: "gated",
    subscribesTo: ["*"],
    retry: { attempts: 5, baseDelay: 1, maxDelay: 1 },
    async handle(event, { tx, handler }) {
      await writeEffect(tx, handler, event);
      if (gate.fails.has(`${event.streamId}@${event.version}`)) throw new Error("not yet");
      if (!waitsAt(event.streamId, event.version)) return;
      gate.reached.resolve();
      await gate.open.promise;
    },
  });
  await registerHandler(database.db, handler);
  return { database, handler, gate };
}

const blocked = `
  select count(*)::int from pg_stat_activity a
   where a.datname = current_database() and cardinality(pg_blocking_pids(a.pid)) > 0`;

async function untilBlocked(database: Awaited<ReturnType<typeof testDatabase>>): Promise<void> {
  while ((await value<number>(database, blocked)) === 0) await new Promise((done) => setTimeout(done, 5));
}

t.test("between the reading of the parked set and the commit, an un-parking", async (t) => {
  const { database, handler, gate } = await gated(t, (stream, version) => stream === "b-1" && version === 2n);
  gate.fails.add("a-1@1");
  await append(database, "a-1", "b-1");
  await drainHandler(database.db, handler, { budget: 0, maxBatch: 2 });
  await drainHandler(database.db, handler, { budget: 0, maxBatch: 2 });
  t.equal(await value(database, "select stream_id from daybook.parked_streams"), "a-1");
  // attempts used up by hand: nobody un-parks it until it is said
  await database.pool.query("update daybook.parked_streams set retry_at = null");
  await append(database, "b-1", "a-1");
  const draining = drainAll(database.db, handler);
  await gate.reached.promise;

  // it has read "a-1 is parked", has left a-1@2 out, and will commit a position behind it
  gate.fails.clear();
  await database.pool.query("update daybook.parked_streams set retry_at = now()");
  const unparking = drainAll(database.db, handler);
  await new Promise((done) => setTimeout(done, 50));
  t.match(await value(database, "select count(*)::int from daybook.parked_streams"), 1, "nobody un-parks meanwhile");
  gate.open.resolve();
  await draining;
  await unparking;
  await drainAll(database.db, handler);
  t.same((await effectNames(database)).sort(), ["a-1@1", "a-1@2", "b-1@1", "b-1@2"], "nothing lost, nothing twice");
  t.equal(await value(database, "select count(*)::int from daybook.parked_streams"), 0);
});

t.test("the same, with the stream un-parked by discarding its message", async (t) => {
  const { database, handler, gate } = await gated(t, (stream, version) => stream === "b-1" && version === 2n);
  gate.fails.add("a-1@1");
  await append(database, "a-1", "b-1");
  while ((await value<number>(database, "select count(*)::int from daybook.dead_letters")) === 0) {
    await drainAll(database.db, handler);
  }
  await append(database, "b-1", "a-1");
  const draining = drainAll(database.db, handler);
  await gate.reached.promise;
  const discarding = database.pool.query("select daybook.discard_dead_letters('handler', 'gated', 'it is in the way')");
  await untilBlocked(database);
  gate.open.resolve();
  await Promise.all([draining, discarding]);
  await drainAll(database.db, handler);
  t.same(await effectNames(database), ["b-1@1", "b-1@2", "a-1@2"]);
  t.equal(await value(database, "select count(*)::int from daybook.parked_streams"), 0);
});

t.test("two that believe they own a shard: one of them writes nothing", async (t) => {
  const { database, handler, gate } = await gated(t, (_, version) => version === 3n);
  await append(database, ...Array.from({ length: 8 }, () => "a-1"));
  const first = drainAll(database.db, handler);
  await gate.reached.promise;
  t.same(await drainHandler(database.db, handler), { handled: 0, more: false, outcome: "dry" });
  gate.open.resolve();
  t.match(await first, { handled: 8 });
  t.equal((await readEffects(database)).length, 8);
});

t.test("one that lost its claim commits nothing", async (t) => {
  const { database, handler, gate } = await gated(t, (_, version) => version === 2n);
  await append(database, "a-1", "a-1", "a-1");
  const draining = drainHandler(database.db, handler);
  await gate.reached.promise;
  // its connection is cut while it is at work, and another one takes over
  await database.pool.query(
    "select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and state = 'idle in transaction'",
  );
  const other = defineHandler({
    name: "gated",
    subscribesTo: ["*"],
    handle: (event, { tx }) => writeEffect(tx, "other", event),
  });
  while ((await drainHandler(database.db, other)).handled === 0);
  gate.open.resolve();
  await draining.catch(() => undefined);
  t.same(await effectNames(database, "gated"), []);
  t.same(await effectNames(database, "other"), ["a-1@1", "a-1@2", "a-1@3"]);
  t.equal(await value(database, "select count(*)::int from daybook.parked_streams"), 0);
});

t.test("a failure told too late is told to nobody", async (t) => {
  const database = await testDatabase(t);
  const handler = defineHandler({
    name: "h",
    subscribesTo: ["*"],
    handle() {
      throw new Error("too late");
    },
  });
  await registerHandler(database.db, handler);
  await append(database, "a-1", "a-2");
  // between the rollback and the telling somebody else moves the handler
  const slow: Db = {
    transaction: (work) => database.db.transaction(work),
    async query(text, values, options) {
      await database.pool.query("select daybook.advance_handler('h', 1, 'not that one')");
      return database.db.query(text, values, options);
    },
  };
  t.same(await drainHandler(slow, handler), { handled: 0, more: false, outcome: "stale" });
  t.equal(await value(database, "select count(*)::int from daybook.parked_streams"), 0);
});

t.test("when a pause returns, nothing more is handled", async (t) => {
  const { database, handler, gate } = await gated(t, (_, version) => version === 2n);
  await append(database, "a-1", "a-1", "a-1", "a-1");
  const draining = drainHandler(database.db, handler, { maxBatch: 2 });
  await gate.reached.promise;
  let isPaused = false;
  const pausing = pauseHandler(database.db, { name: "gated", reason: "a look" }).then(() => {
    isPaused = true;
  });
  await untilBlocked(database);
  t.equal(isPaused, false);
  gate.open.resolve();
  await pausing;
  const count = (await readEffects(database)).length;
  await draining;
  await drainAll(database.db, handler);
  t.equal((await readEffects(database)).length, count, "nothing since");
  await resetHandler(database.db, { name: "gated", from: 0n, reason: "again" });
  t.match(await drainAll(database.db, handler), { handled: 0 }, "still paused");
});
