import t, { type Test } from "tap";
import {
  defineProjection,
  drainProjection,
  dropProjection,
  dropRebuild,
  type Projection,
  pauseProjection,
  projectionStatus,
  rebuildProjection,
  registerProjection,
} from "../../src/index.ts";
import { testDatabase } from "../support/database.ts";
import { eventually } from "../worker/support.ts";
import { applyFunctions, codeCounts, counts, seen, sqlCounts, tell } from "./support.ts";

t.setTimeout(120_000);

/** A projection in TypeScript that comes to a stop in its first event, until the gate is opened. */
function gated(more: object = {}) {
  const gate = Promise.withResolvers<void>();
  const inside = Promise.withResolvers<void>();
  const code = codeCounts(more);
  const projection: Projection = {
    ...code,
    async handle(event, context) {
      inside.resolve();
      await gate.promise;
      await code.handle?.(event, context);
    },
  };
  return { projection, inside: inside.promise, open: () => gate.resolve() };
}

async function started(t: Test, more: object = {}) {
  const database = await testDatabase(t);
  const projection = codeCounts(more);
  await tell(database.db, "a-1", 3);
  await registerProjection(database.db, projection);
  return { database, db: database.db, projection };
}

/** Whether a call of a function waits for a lock. */
const waits = (text: string) => `
  select from pg_stat_activity a
   where a.datname = current_database() and a.wait_event_type = 'Lock' and a.query like '%${text}%'`;

t.test("two drains of one projection: the second finds nothing to do", async (t) => {
  const { database, db, projection } = await started(t);
  const slow = gated();
  const first = drainProjection(db, slow.projection);
  await slow.inside;
  t.match(await drainProjection(db, projection), { handled: 0, outcome: "dry" });
  slow.open();
  t.match(await first, { handled: 3 });
  t.same(await seen(database), { "a-1": 3 });
});

t.test("paused while a batch is in hand: when pause returns, nothing more is written", async (t) => {
  const { database, db } = await started(t);
  await tell(db, "a-1", 200);
  const slow = gated();
  const drain = drainProjection(db, slow.projection, { maxBatch: 1 });
  await slow.inside;
  const pause = pauseProjection(db, { name: "counts" });
  await eventually(async () => (await database.pool.query(waits("pause_projection"))).rowCount === 1);
  slow.open();
  await pause;
  const then = await seen(database);
  t.ok((await drain).handled >= 1);
  t.same(await seen(database), then);
});

t.test("the version that is being built is dropped under the hands of its drain", async (t) => {
  const { database, db, projection } = await started(t);
  // so many that its drain is not done with them before whoever drops it has its turn
  await tell(db, "a-1", 200);
  await drainProjection(db, projection);
  await rebuildProjection(db, { name: "counts" });
  const slow = gated();
  const building = drainProjection(db, slow.projection, { name: "counts@2", maxBatch: 1 });
  await slow.inside;
  const drop = dropRebuild(db, { name: "counts" });
  await eventually(async () => (await database.pool.query(waits("drop_rebuild"))).rowCount === 1);
  slow.open();
  t.equal(await drop, true);
  t.match(await building, { more: false, outcome: "dry" });
  t.same(await seen(database), { "a-1": 203 });
  t.match(await projectionStatus(db), [{ version: 1, building: null }]);
});

t.test("dropped while a batch is in hand", async (t) => {
  const { database, db } = await started(t);
  const slow = gated();
  const drain = drainProjection(db, slow.projection, { maxBatch: 1 });
  await slow.inside;
  const drop = dropProjection(db, { name: "counts" });
  await eventually(async () => (await database.pool.query(waits("drop_projection"))).rowCount === 1);
  slow.open();
  await drop;
  t.match(await drain, { more: false, outcome: "dry" });
  t.same(await projectionStatus(db), []);
});

t.test(
  "switched to while the live version has a batch in hand: afterwards, and its code is not run on the new one",
  async (t) => {
    const { database, db, projection } = await started(t, { revision: 1 });
    await drainProjection(db, projection);
    const next = codeCounts({ revision: 2, tables: { counts: `${counts.counts}, note text` } });
    await registerProjection(db, next);
    await tell(db, "a-1");
    const slow = gated({ revision: 1 });
    const live = drainProjection(db, slow.projection, { maxBatch: 1 });
    await slow.inside;
    t.match(await drainProjection(db, next, { name: "counts@2" }), { handled: 4, outcome: "dry" });
    t.match(await projectionStatus(db), [{ version: 1, building: { position: 4n } }], "it is in the way");
    slow.open();
    await live;
    await eventually(async () => {
      await drainProjection(db, next, { name: "counts@2" });
      return (await projectionStatus(db))[0]?.version === 2;
    });
    t.same(await seen(database), { "a-1": 4 });
    await tell(db, "a-1");
    t.match(await drainProjection(db, projection), { handled: 0, outcome: "stale" }, "the old code");
    t.match(await drainProjection(db, next), { handled: 1 });
    t.same(await seen(database), { "a-1": 5 });
  },
);

t.test("many processes register the same projection, and its next revision, at once", async (t) => {
  for (const make of [sqlCounts, codeCounts]) {
    const database = await testDatabase(t);
    const { db } = database;
    await applyFunctions(database);
    const first = await Promise.all(Array.from({ length: 6 }, () => registerProjection(db, make())));
    t.same(first.toSorted(), ["created", "there", "there", "there", "there", "there"]);
    const next = make({ revision: 2, tables: { counts: `${counts.counts}, note text` } });
    const second = await Promise.all([
      ...Array.from({ length: 5 }, () => registerProjection(db, next)),
      registerProjection(db, make()),
    ]);
    t.ok(second.includes("replacing"));
    t.match(await projectionStatus(db), [{ revision: 1, building: { version: 2 } }], "built once");
    await drainProjection(db, next, { name: "counts@2" });
    t.match(await projectionStatus(db), [{ revision: 2, building: null }]);
  }
});

t.test("what the code writes goes with its batch, and the next try has it all to do again", async (t) => {
  const { database, db } = await started(t);
  let fails = true;
  const code = codeCounts();
  const projection = defineProjection({
    name: "counts",
    tables: counts,
    retry: { attempts: 3, baseDelay: 1 },
    async handle(event, context) {
      await code.handle?.(event, context);
      if (event.version === 3n && fails) throw new Error("not yet");
    },
  });
  t.match(await drainProjection(db, projection), { handled: 2, outcome: "waiting" });
  t.same(await seen(database), { "a-1": 2 });
  fails = false;
  await eventually(async () => (await drainProjection(db, projection)).handled === 1);
  t.same(await seen(database), { "a-1": 3 });
});
