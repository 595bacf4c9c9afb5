import { createHash } from "node:crypto";
import t, { type Test } from "tap";
import { defineReducer, fold, loadState } from "../../src/index.ts";
import { makeReducers } from "../sql/folding.ts";
import { longLived, months, perMonth } from "../sql/long-lived.ts";
import { seal } from "../sql/months.ts";
import { testDatabase } from "../support/database.ts";

/** A fold over a stream that spans monthly partitions gives what the same reducer in SQL gives, and each version its own. */

const { db, pool } = await testDatabase(t);
await makeReducers(pool);
await longLived(pool, ["long-1", "long-2"]);
const last = months.length * perMonth;

/** Each link is a hash of the one before and of the event, as that of `app.chain`. */
const chain = defineReducer<{ events: number; link: string }>({
  name: "chain",
  version: 1,
  initial: { events: 0, link: "" },
  evolve: ({ events, link }, { eventId }) => ({
    events: events + 1,
    link: createHash("md5")
      .update(link + eventId)
      .digest("hex"),
  }),
  snapshotEvery: 50,
  keepSnapshots: 10,
});

/** The moments of events, by version. */
const recorded = (
  await db.query<{ at: Date }>(
    "select recorded_at as at from daybook.events where stream_id = 'long-1' order by version",
  )
).map(({ at }) => at);

async function check(t: Test, snapshots: boolean): Promise<void> {
  const states = [];
  for (let version = 1; version <= last; version += version % perMonth < 2 ? 1 : 33) {
    const state = await fold(db, "long-1", chain, { atVersion: version, snapshots });
    t.same(state, await fold(db, "long-1", "app.chain", { atVersion: version }), `version ${version}, as in SQL`);
    t.equal(state.events, version);
    states.push(state);
    const at = recorded[version - 1] as Date;
    t.same(await fold(db, "long-1", chain, { atTime: at, snapshots }), state, "as of its moment");
    const before = await loadState(db, "long-1", chain, { atTime: new Date(at.getTime() - 1), snapshots });
    t.equal(before.version, BigInt(version - 1), "as of a millisecond before");
    t.equal(before.state.events, version - 1);
  }
  t.equal(new Set(states.map(({ link }) => link)).size, states.length);
  t.match(await loadState(db, "long-1", chain, { snapshots }), { state: { events: last }, version: BigInt(last) });
}

t.test("without snapshots", (t) => check(t, false));

t.test("with snapshots in some of the months", async (t) => {
  t.match(await loadState(db, "long-1", chain), { snapshotVersion: null, savedSnapshot: true });
  for (const version of [perMonth, 101, 3 * perMonth + 1])
    await db.query(
      `select daybook.save_snapshot(stream_id => 'long-1', reducer => 'chain', reducer_version => 1, version => $1::bigint,
         state => $2::jsonb, source => 'client', keep => 10)`,
      [version, JSON.stringify(await fold(db, "long-1", chain, { atVersion: version, snapshots: false }))],
    );
  t.match(await loadState(db, "long-1", chain, { atTime: recorded[179] }), {
    version: 180n,
    snapshotVersion: 101n,
    eventsFolded: 79,
  });
  t.match(await loadState(db, "long-1", chain), { snapshotVersion: BigInt(last), eventsFolded: 0 });
  await check(t, true);
});

t.test("once the past months are sealed", async (t) => {
  await seal(pool);
  await check(t, true);
  await check(t, false);
});
