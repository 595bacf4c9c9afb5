import { setTimeout as delay } from "node:timers/promises";
import t from "tap";
import { append, iterateAll, type NewEvent } from "../../src/index.ts";
import { testDatabase } from "../support/database.ts";

/* Following the log through a pool, where pages are asked for ahead: nothing skipped, nothing twice, in order. */

const { db, pool } = await testDatabase(t);
const event: NewEvent = { type: "T", data: {} };

async function followed(pageSize: number, afterPosition = 0n): Promise<bigint[]> {
  const positions: bigint[] = [];
  for await (const { position } of iterateAll(db, { pageSize, afterPosition })) positions.push(position);
  return positions;
}

async function logged(): Promise<bigint[]> {
  const rows = await db.query<{ position: bigint }>("select position from daybook.events order by position");
  return rows.map((row) => row.position);
}

t.test("with few gaps, with many, and with both by turns", async (t) => {
  const parts = [500, 0, 300, 40, 500];
  for (const [i, count] of parts.entries()) {
    for (let n = 0; n < count; n += 10) {
      const lost = db.transaction(async (tx) => {
        await append(tx, { streamId: `lost-${i}`, events: Array.from({ length: i === 3 ? 60 : 1 }, () => event) });
        throw new Error("rolled back");
      });
      if (n % 70 === 0 || i === 3) await lost.catch(() => undefined);
      else lost.catch(() => undefined);
      await append(db, { streamId: `kept-${i}-${n}`, events: Array.from({ length: 10 }, () => event) });
      await lost.catch(() => undefined);
    }
  }
  const all = await logged();
  t.equal(all.length, 1340);
  t.ok(Number(all.at(-1)) > 1340 + 240);
  for (const pageSize of [1, 2, 3, 10, 33, 100, 500, 1339, 1340, 1341]) {
    t.same(await followed(pageSize), all, `pages of ${pageSize}`);
  }
  t.same(
    await followed(20, 700n),
    all.filter((position) => position > 700n),
  );
});

t.test("nothing is under way when the loop is left", async (t) => {
  for (const stop of [15, 25, 150]) {
    let count = 0;
    for await (const { position } of iterateAll(db, { pageSize: 20 })) {
      count += Number(position > 0n);
      if (count === stop) break;
    }
    t.same([pool.idleCount, pool.waitingCount], [pool.totalCount, 0]);
  }
  t.ok(pool.totalCount > 1);
});

t.test("while others append, at their own pace: the follower gets everything, in order", async (t) => {
  t.setTimeout(120_000);
  let isOver = false;
  let appended = 0;
  const writer = async (w: number) => {
    for (let n = 0; !isOver; n += 1) {
      const work = db.transaction(async (tx) => {
        await append(tx, { streamId: `writer-${w}`, events: Array.from({ length: 1 + (n % 30) }, () => event) });
        if (n % 5 === w) await delay(2 * w);
        if (n % 7 === 0) throw new Error("rolled back");
      });
      await work.then(
        () => {
          appended += 1;
        },
        () => undefined,
      );
    }
  };
  const writers = [0, 1, 2, 3].map(writer);
  const seen: bigint[] = [];
  for (const end = performance.now() + 3_000; performance.now() < end; ) {
    seen.push(...(await followed(25, seen.at(-1) ?? 0n)));
  }
  isOver = true;
  await Promise.all(writers);
  seen.push(...(await followed(25, seen.at(-1) ?? 0n)));
  t.ok(appended > 50, `${appended} appends`);
  t.same(seen, await logged());
});
