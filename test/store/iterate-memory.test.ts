import { setTimeout as delay, setImmediate } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import t from "tap";
import { iterateAll } from "../../src/index.ts";
import { testDatabase } from "../support/database.ts";
import { counting } from "./counting.ts";

const { db } = await testDatabase(t);
const total = 200_000;
await db.query(
  `select daybook.append('long-' || s, (
     select jsonb_agg(jsonb_build_object('type', 'T', 'data', jsonb_build_object('text', repeat('x', 200))))
       from generate_series(1, 10000) g)) from generate_series(1, ${total / 10_000}) s`,
);

t.test("a slow consumer does not fill the heap: one page ahead, and no more", async (t) => {
  t.setTimeout(180_000);
  const counted = counting(db);
  setFlagsFromString("--expose-gc");
  const collect: () => void = runInNewContext("gc");
  let count = 0;
  let most = 0;
  collect();
  const before = process.memoryUsage().heapUsed;
  for await (const event of iterateAll(counted, { pageSize: 1000 })) {
    count += Number(event.version > 0n);
    if (count === 1) {
      await delay(100);
      t.equal(counted.asked, 2, "the page at hand and the next");
    }
    if (count % 1000 === 500) {
      await setImmediate();
      t.ok(counted.asked <= count / 1000 + 2);
    }
    if (count % 20_000 === 0) {
      collect();
      most = Math.max(most, process.memoryUsage().heapUsed - before);
    }
  }
  t.equal(count, total);
  t.ok(most < 20_000_000, `at most ${(most / 1e6).toFixed(1)} MB`);
});
