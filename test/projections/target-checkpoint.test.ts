import t from "tap";
import {
  type Db,
  defineProjection,
  drainProjection,
  projectionStatus,
  registerProjection,
  resetProjection,
  resumeProjection,
} from "../../src/index.ts";
import { type TestDatabase, testDatabase } from "../support/database.ts";
import { eventually } from "../worker/support.ts";
import { tell } from "./support.ts";
import { journal, two, written } from "./target-support.ts";

t.setTimeout(180_000);

for (const [what, spoil, reason] of [
  ["another store's", "update daybook_projections.daybook_checkpoints set epoch = gen_random_uuid()", /another store/],
  [
    "of an event that the log has not (any more)",
    "update daybook_projections.daybook_checkpoints set event_id = gen_random_uuid()",
    /its checkpoint is event .* at position 2, where the log has /,
  ],
  [
    "beyond the end of the log",
    "update daybook_projections.daybook_checkpoints set position = 1000",
    /its checkpoint, 1000, lies beyond the end of the log/,
  ],
] as const) {
  t.test(`a checkpoint ${what}: it stops, loudly`, async (t) => {
    const { store, other, projection } = await two(t);
    await tell(store.db, "a-1", 2);
    await registerProjection(store.db, projection);
    await drainProjection(store.db, projection);
    await other.pool.query(spoil);
    await tell(store.db, "a-1");
    t.match(await drainProjection(store.db, projection), { handled: 0, outcome: "halted" });
    t.match(await projectionStatus(store.db), [
      { state: "halted", health: "critical", needsPerson: true, stateReason: reason },
    ]);
    t.same(await written(other), [1, 2], "nothing was written");
    // decided: it is to be built anew there
    if (what !== "another store's") {
      await resetProjection(store.db, { name: "journal", reason: "the log was set back" });
      await resumeProjection(store.db, { name: "journal" }).catch(() => undefined);
      await drainProjection(store.db, projection);
      t.same(await written(other), [1, 2, 3]);
    }
  });
}

t.test("the other database was set back, or is a new one: what is missing is made up for", async (t) => {
  const { store, other, projection } = await two(t);
  await tell(store.db, "a-1", 5);
  await registerProjection(store.db, projection);
  await drainProjection(store.db, projection);
  await other.pool.query(`
    delete from daybook_journal_1.journal where position > 2;
    update daybook_projections.daybook_checkpoints set position = 2, event_id = '${await eventAt(store, 2)}'`);
  await tell(store.db, "a-1");
  await drainProjection(store.db, projection);
  t.same(await written(other), [1, 2, 3, 4, 5, 6]);

  const fresh = await testDatabase(t, { template: false });
  const moved = defineProjection(journal(fresh.db));
  await tell(store.db, "a-1");
  await drainProjection(store.db, moved);
  t.same(await written(fresh), [1, 2, 3, 4, 5, 6, 7]);
});

async function eventAt({ pool }: TestDatabase, position: number): Promise<string> {
  const { rows } = await pool.query("select event_id from daybook.events where position = $1", [position]);
  return rows[0]?.event_id;
}

t.test("the other database is away: it waits, and no event is at fault", async (t) => {
  const { store, other } = await two(t);
  let isAway = true;
  const away: Db = {
    query: (text, values, options) => other.db.query(text, values, options),
    transaction: (run) =>
      other.db.transaction(async (tx) => {
        const result = await run(tx);
        if (isAway && made) throw Object.assign(new Error("gone"), { code: "ECONNRESET" });
        made = true;
        return result;
      }),
  };
  let made = false;
  const projection = defineProjection({ ...journal(away), retry: { attempts: 1, baseDelay: 10 } });
  await registerProjection(store.db, projection);
  await tell(store.db, "a-1", 2);
  t.match(await drainProjection(store.db, projection), { handled: 0, outcome: "waiting" });
  t.match(await projectionStatus(store.db), [{ state: "running", lastError: { message: "gone" } }]);
  isAway = false;
  await eventually(async () => (await drainProjection(store.db, projection)).handled === 2);
  t.same(await written(other), [1, 2]);
});
