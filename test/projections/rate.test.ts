import t from "tap";
import {
  defineProjection,
  drainProjection,
  projectionStatus,
  rebuildProjection,
  registerProjection,
} from "../../src/index.ts";
import { testDatabase } from "../support/database.ts";
import { codeCounts, counts, tell } from "./support.ts";
import { journal, two } from "./target-support.ts";

/** A projection in TypeScript says how fast it is, and how long its rebuild takes, as one in SQL does. */

const handled = "select handled::integer from daybook.projection_versions where consumer = $1 and stage <> 'retired'";

t.test("what is handled is counted and timed; what is rolled back is not", async (t) => {
  const { db, pool } = await testDatabase(t);
  const count = async (name: string) => (await pool.query(handled, [name])).rows[0].handled;
  let fails = true;
  const projection = defineProjection({
    name: "counts",
    tables: counts,
    retry: { attempts: 9, baseDelay: 1 },
    async handle({ streamId, version }, { tx }) {
      await tx.query(
        "insert into counts as c values ($1, 1) on conflict (stream_id) do update set events = c.events + 1",
        [streamId],
      );
      if (version === 8n && fails) throw new Error("not yet");
    },
  });
  await registerProjection(db, projection);
  await tell(db, "a-1", 20);
  t.match(await projectionStatus(db), [{ rate: null }], "nothing yet");
  t.match(await drainProjection(db, projection), { handled: 7, outcome: "waiting" });
  t.equal(await count("counts"), 7, "what lies before the event that failed");
  const [{ rate } = { rate: null }] = await projectionStatus(db);
  t.ok(rate !== null && rate > 0 && rate < 1_000_000, `${rate} events a second`);
  fails = false;
  await pool.query("update daybook.cursors set retry_at = now()");
  t.match(await drainProjection(db, projection), { handled: 13, outcome: "dry" });
  t.equal(await count("counts"), 20);
  t.match(await drainProjection(db, projection), { handled: 0 });
  t.equal(await count("counts"), 20);
});

t.test("a rebuild: how long the rest takes", async (t) => {
  const { db, pool } = await testDatabase(t);
  const projection = codeCounts();
  await registerProjection(db, projection);
  await tell(db, "a-1", 40);
  await drainProjection(db, projection);
  await rebuildProjection(db, { name: "counts" });
  t.match(await projectionStatus(db), [{ building: { progress: 0, secondsLeft: null } }]);
  const stopped = new AbortController();
  const some = codeCounts({
    async handle() {
      stopped.abort();
    },
  });
  t.match(await drainProjection(db, some, { name: "counts@2", maxBatch: 10, signal: stopped.signal }), { more: true });
  const [status] = await projectionStatus(db);
  const left = status?.building?.secondsLeft ?? null;
  const progress = status?.building?.progress ?? 0;
  t.ok(progress > 0 && progress < 1, `${progress} of it`);
  t.ok(left !== null && left >= 0, `${left} seconds left`);
  t.ok((await pool.query(handled, ["counts@2"])).rows[0].handled > 0);
});

t.test("its tables in another database: counted where its status is", async (t) => {
  const { store, other } = await two(t);
  const projection = defineProjection(journal(other.db));
  await registerProjection(store.db, projection);
  await tell(store.db, "a-1", 30);
  t.match(await drainProjection(store.db, projection, { maxBatch: 7 }), { handled: 30 });
  t.equal((await store.pool.query(handled, ["journal"])).rows[0].handled, 30);
  t.match(await projectionStatus(store.db), [{ rate: Number }]);
  // what the other database has lost and is given again is nothing new
  await other.pool.query("drop schema daybook_projections cascade");
  await tell(store.db, "a-1", 2);
  t.match(await drainProjection(store.db, projection), { handled: 2 });
  t.equal((await store.pool.query(handled, ["journal"])).rows[0].handled, 32);
});
