import type { Test } from "tap";
import { z } from "zod";
import { append, type DbLike, defineReducer, exactNumber, fold, loadState, toDb } from "../../src/index.ts";
import { throughEveryDriver } from "../support/drivers.ts";

const reducer = defineReducer({
  name: "last",
  version: 1,
  initial: { data: {}, since: new Date(0), sum: 0n },
  evolve: (state, event) => ({
    data: event.data,
    since: event.recordedAt,
    sum: state.sum + event.version * 10n ** 20n,
  }),
  schema: z.object({ data: z.looseObject({}), since: z.coerce.date(), sum: z.coerce.bigint() }),
  snapshotEvery: 3,
});

/** The same through every driver: digits, dates and texts come back from a snapshot as they went into it. */
async function check(t: Test, db: DbLike): Promise<void> {
  const data = {
    text: "ä'\"\\ \u2028",
    deep: [{ a: null }],
    big: 12345678901234567890n,
    exact: exactNumber("0.1000000000000000000001"),
  };
  for (let i = 0; i < 4; i += 1) await append(db, { streamId: "a-1", events: { type: "T", data }, tenantId: "one" });
  const without = await loadState(db, "a-1", reducer, { tenantId: "one", snapshots: false });
  t.match(without, { version: 4n, snapshotVersion: null, savedSnapshot: false, state: { data, sum: 10n ** 21n } });
  t.match(await loadState(db, "a-1", reducer, { tenantId: "one" }), { savedSnapshot: true });
  const again = await loadState(db, "a-1", reducer, { tenantId: "one" });
  t.match(again, { snapshotVersion: 4n, eventsFolded: 0 });
  t.same(again.state, without.state);
  t.same(await fold(db, "a-1", reducer, { tenantId: "one", atTime: without.state.since }), without.state);
  await t.rejects(fold(db, "a-1", reducer, { tenantId: "one", atVersion: 5 }), { code: "YD613" });
  await toDb(db).transaction(async (tx) => {
    await append(tx, { streamId: "a-1", events: [1, 2, 3].map(() => ({ type: "T", data })), tenantId: "one" });
    t.match(await loadState(tx, "a-1", reducer, { tenantId: "one" }), {
      version: 7n,
      snapshotVersion: 4n,
      savedSnapshot: true,
    });
  });
  t.match(await loadState(db, "a-1", reducer, { tenantId: "one" }), { snapshotVersion: 7n });
}

throughEveryDriver(check);
