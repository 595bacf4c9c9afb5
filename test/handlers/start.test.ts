import t from "tap";
import { defineHandler, drainHandler, handlerPosition, registerHandler, resetHandler } from "../../src/index.ts";
import { testDatabase } from "../support/database.ts";
import { append, drainAll, value } from "./support.ts";

t.test("from the start, now, a position, a moment", async (t) => {
  const database = await testDatabase(t);
  await append(database, "a-1", "a-1");
  // a Date has milliseconds: what was recorded in the same one counts as behind it
  await new Promise((done) => setTimeout(done, 5));
  const moment: Date = await value(database, "select clock_timestamp()");
  await new Promise((done) => setTimeout(done, 5));
  await append(database, "a-1", "a-1");
  const seen: Record<string, number[]> = {};
  const make = (name: string, from?: "start" | "now" | bigint | Date) =>
    defineHandler({
      name,
      from,
      subscribesTo: ["*"],
      handle(event) {
        seen[name] = [...(seen[name] ?? []), Number(event.position)];
      },
    });
  const handlers = [
    make("default"),
    make("start", "start"),
    make("now", "now"),
    make("position", 3n),
    make("moment", moment),
  ];
  for (const handler of handlers) t.equal(await registerHandler(database.db, handler), true);
  await append(database, "a-1");
  for (const handler of handlers) {
    t.equal(await registerHandler(database.db, handler), false, "it is there, and stays where it is");
    await drainAll(database.db, handler);
    t.equal(await handlerPosition(database.db, handler), 5n);
  }
  t.same(seen, { default: [1, 2, 3, 4, 5], start: [1, 2, 3, 4, 5], now: [5], position: [4, 5], moment: [3, 4, 5] });
});

t.test("a checkpoint ahead of the log stops it with a clear error", async (t) => {
  const database = await testDatabase(t);
  await append(database, "a-1");
  const handler = defineHandler({ name: "ahead", subscribesTo: ["*"], handle: () => void t.fail("handled") });
  const other = defineHandler({ name: "other", subscribesTo: ["*"], handle: () => undefined });
  await registerHandler(database.db, handler);
  await registerHandler(database.db, other);
  await database.pool.query("update daybook.cursors set position = 1000 where name = 'ahead'");
  await t.rejects(drainHandler(database.db, handler), { name: "CheckpointAheadError", code: "YD403" });
  t.match(await drainHandler(database.db, other), { handled: 1 }, "the others go on");
  await resetHandler(database.db, { name: "ahead", from: "now", reason: "the log was set back" });
  t.match(await drainHandler(database.db, handler), { outcome: "dry" });
});

t.test("one that is not there", async (t) => {
  const { db } = await testDatabase(t);
  const handler = defineHandler({ name: "nobody", subscribesTo: ["*"], handle: () => undefined });
  await t.rejects(drainHandler(db, handler), { name: "UnknownConsumerError", code: "YD501" });
});

t.test("rare types: it moves on over what it does not follow", async (t) => {
  const database = await testDatabase(t);
  await database.pool.query(
    "select count(daybook.append_event('a-' || n % 50, case when n in (3, 4500) then 'Rare' else 'Common' end)) from generate_series(1, 5000) n",
  );
  const seen: number[] = [];
  const handler = defineHandler({
    name: "rare",
    subscribesTo: ["Rare"],
    handle(event) {
      seen.push(Number(event.position));
    },
  });
  await registerHandler(database.db, handler);
  t.match(await drainHandler(database.db, handler), { handled: 2, outcome: "dry" });
  t.same(seen, [3, 4500]);
  t.equal(await handlerPosition(database.db, handler), 5000n);
});

t.test("it ends between events when it is told to, and when the time is over", async (t) => {
  const database = await testDatabase(t);
  await append(database, ...Array.from({ length: 20 }, () => "a-1"));
  const controller = new AbortController();
  const seen: number[] = [];
  const handler = defineHandler({
    name: "h",
    subscribesTo: ["*"],
    async handle(event, { signal }) {
      t.equal(signal.aborted, false);
      seen.push(Number(event.position));
      await new Promise((done) => setTimeout(done, 3));
      if (event.position === 4n) controller.abort();
    },
  });
  await registerHandler(database.db, handler);
  t.same(await drainHandler(database.db, handler, { signal: controller.signal }), {
    handled: 4,
    more: true,
    outcome: "stopped",
  });
  t.equal(await handlerPosition(database.db, handler), 4n);
  t.same(await drainHandler(database.db, handler, { signal: controller.signal }), {
    handled: 0,
    more: true,
    outcome: "stopped",
  });
  const result = await drainHandler(database.db, handler, { budget: 10, maxBatchTime: 5 });
  t.match(result, { more: true, outcome: "budget" });
  t.ok(result.handled >= 1 && result.handled < 16, `${result.handled} in the time`);
  t.equal(await handlerPosition(database.db, handler), BigInt(4 + result.handled));
  t.match(await drainAll(database.db, handler), { handled: 16 - result.handled });
  t.same(
    seen,
    Array.from({ length: 20 }, (_, n) => n + 1),
  );
});

t.test("giving up because of the signal is no failure", async (t) => {
  const database = await testDatabase(t);
  await append(database, "a-1");
  const controller = new AbortController();
  const handler = defineHandler({
    name: "h",
    subscribesTo: ["*"],
    handle(_, { signal }) {
      controller.abort();
      signal.throwIfAborted();
    },
  });
  await registerHandler(database.db, handler);
  t.match(await drainHandler(database.db, handler, { signal: controller.signal }), { outcome: "stopped" });
  t.equal(await value(database, "select count(*)::int from daybook.parked_streams"), 0);
  t.equal(await handlerPosition(database.db, handler), 0n);
});
