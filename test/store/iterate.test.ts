import { setImmediate } from "node:timers/promises";
import t from "tap";
import { type Db, iterateAll, iterateCategory, iterateStream, iterateType, type StoredEvent } from "../../src/index.ts";
import { testDatabase } from "../support/database.ts";
import { counting } from "./counting.ts";

const { db } = await testDatabase(t);
const total = 20_000;
await db.query(
  `select daybook.append('long-' || s, (
     select jsonb_agg(jsonb_build_object('type', 'T' || g % 2, 'data', jsonb_build_object('n', g)))
       from generate_series(1, 1000) g)) from generate_series(1, ${total / 1000}) s`,
);

async function positions(events: AsyncIterable<StoredEvent>): Promise<bigint[]> {
  const all: bigint[] = [];
  for await (const event of events) all.push(event.position);
  return all;
}

t.test("gives every event once, in order, whatever the page size", async (t) => {
  for (const pageSize of [100, 777, 100_000]) {
    const all = await positions(iterateAll(db, { pageSize }));
    t.equal(all.length, total);
    t.ok(all.every((position, i) => i === 0 || position > (all[i - 1] ?? 0n)));
  }
  const streams = [undefined, 1n, 501n, 1_000n, 1_001n];
  for (const fromVersion of streams) {
    for (const backwards of [false, true]) {
      const versions: bigint[] = [];
      for await (const event of iterateStream(db, { streamId: "long-3", fromVersion, backwards, pageSize: 100 })) {
        versions.push(event.version);
      }
      const first = fromVersion ?? (backwards ? 1_000n : 1n);
      const count = backwards ? Math.min(Number(first), 1_000) : Math.max(0, 1_001 - Number(first));
      const start = backwards && first > 1_000n ? 1_000n : first;
      t.same(
        versions,
        Array.from({ length: count }, (_, i) => (backwards ? start - BigInt(i) : start + BigInt(i))),
      );
    }
  }
  t.equal((await positions(iterateType(db, { type: "T1", pageSize: 900 }))).length, total / 2);
  t.equal((await positions(iterateCategory(db, { category: "long", pageSize: 900 }))).length, total);
  t.equal((await positions(iterateAll(db, { types: ["none"] }))).length, 0);
  const counted = counting(db);
  t.equal((await positions(iterateAll(counted, { pageSize: 15_000 }))).length, total);
  t.equal(counted.asked, 2, "a page that is not full is the last");
  t.equal((await positions(iterateAll(db, { afterPosition: total - 5 }))).length, 5);
});

t.test("nothing is under way when the loop is left", async (t) => {
  for (const stop of ["break", "throw", "return"]) {
    const counted = counting(db);
    const loop = async () => {
      for await (const event of iterateAll(counted, { pageSize: 100 })) {
        if (event.version < 150n) continue;
        if (stop === "break") break;
        if (stop === "return") return;
        throw new Error("enough");
      }
    };
    await loop().catch(() => undefined);
    t.same([counted.asked, counted.open], [3, 0], stop);
  }
});

t.test("runs within a transaction, which can end when the loop is left", async (t) => {
  const last = await db.transaction(async (tx) => {
    for await (const event of iterateAll(tx, { pageSize: 100 })) if (event.version === 150n) return event;
    return undefined;
  });
  t.equal(last?.version, 150n);
});

t.test("a signal ends it with its reason", async (t) => {
  const reason = new Error("shutting down");
  t.match(await positions(iterateAll(db, { signal: AbortSignal.abort(reason) })).catch((error) => error), reason);

  const controller = new AbortController();
  let count = 0;
  const counted = counting(db);
  const loop = async () => {
    for await (const event of iterateAll(counted, { pageSize: 10, signal: controller.signal })) {
      count += Number(event.version > 0n);
      if (count === 15) controller.abort(reason);
    }
  };
  await t.rejects(loop(), reason);
  t.equal(count, 15);

  // while a page is on its way
  const stuck: Db = { query: () => new Promise(() => undefined), transaction: db.transaction };
  const late = new AbortController();
  const waiting = positions(iterateAll(stuck, { signal: late.signal }));
  await setImmediate();
  late.abort(reason);
  await t.rejects(waiting, reason);
});

t.test("an error of a page comes when its turn comes", async (t) => {
  let asked = 0;
  const failing: Db = {
    query: (...args) => {
      asked += 1;
      return asked === 2 ? Promise.reject(new Error("the second page")) : db.query(...args);
    },
    transaction: db.transaction,
  };
  let count = 0;
  const loop = async () => {
    for await (const event of iterateAll(failing, { pageSize: 10 })) {
      count += Number(event.version > 0n);
      await setImmediate();
    }
  };
  await t.rejects(loop(), { message: "the second page" });
  t.equal(count, 10);
});
