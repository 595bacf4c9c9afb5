import t from "tap";
import { z } from "zod";
import { defineReducer, loadState, type StoredEvent, type TechnicalFact } from "../../src/index.ts";
import { testDatabase } from "../support/database.ts";
import { add as addTo, ones, snapshotsOf, sum } from "./support.ts";

const { db } = await testDatabase(t);
const add = addTo.bind(undefined, db);
const snapshots = snapshotsOf.bind(undefined, db);

t.test("snapshots: saved by policy, used, kept, and left alone by another version", async (t) => {
  await add("policy-1", ones(9));
  t.match(await loadState(db, "policy-1", sum), { savedSnapshot: false });
  await add("policy-1", ones(3));
  t.match(await loadState(db, "policy-1", sum, { atVersion: 11 }), { savedSnapshot: false }, "not of what was");
  t.match(await loadState(db, "policy-1", sum, { snapshots: false }), { savedSnapshot: false });
  t.match(await loadState(db, "policy-1", sum), { savedSnapshot: true, snapshotVersion: null, eventsFolded: 12 });
  t.match(await loadState(db, "policy-1", sum), {
    savedSnapshot: false,
    snapshotVersion: 12n,
    eventsFolded: 0,
    state: { sum: 12 },
  });
  await add("policy-1", ones(2));
  t.match(await loadState(db, "policy-1", sum), { snapshotVersion: 12n, eventsFolded: 2, state: { sum: 14 } });
  t.match(await loadState(db, "policy-1", sum, { atVersion: 11 }), { snapshotVersion: null, state: { sum: 11 } });
  t.match(await loadState(db, "policy-1", sum, { snapshots: false }), { snapshotVersion: null, eventsFolded: 14 });
  for (let i = 0; i < 4; i += 1) {
    await add("policy-1", ones(10));
    await loadState(db, "policy-1", sum);
  }
  t.same(
    (await snapshots("policy-1")).map((s) => s.version),
    [34n, 44n, 54n],
    "the three newest",
  );
  t.match(await loadState(db, "policy-1", { ...sum, version: 2 }), { snapshotVersion: null, savedSnapshot: true });
  t.match(await loadState(db, "policy-1", { ...sum, name: "other", snapshotEvery: null }), {
    snapshotVersion: null,
    savedSnapshot: false,
  });
});

t.test("a snapshot that its schema does not take is not trusted: folded from the start, and told", async (t) => {
  const facts: TechnicalFact[] = [];
  const onEvent = (fact: TechnicalFact) => facts.push(fact);
  const checked = defineReducer({
    ...plain(sum),
    name: "checked",
    schema: z.object({ sum: z.number().max(1000), types: z.array(z.string()) }),
  });
  await add("checked-1", ones(12));
  t.match(await loadState(db, "checked-1", checked, { onEvent }), { savedSnapshot: true });
  t.same(facts, []);
  await db.query(`update daybook.snapshots_log set state = '{"sum": "many"}' where reducer = 'checked'`);
  t.match(await loadState(db, "checked-1", checked, { onEvent }), {
    state: { sum: 12 },
    snapshotVersion: null,
    eventsFolded: 12,
    savedSnapshot: true,
  });
  t.match(facts, [
    { type: "snapshot-ignored", level: "warning", error: z.ZodError, detail: { reducer: "checked", version: 12n } },
  ]);
  t.match(await loadState(db, "checked-1", checked), { snapshotVersion: 12n }, "a good one has taken its place");
});

t.test("a state that would not come back the same is not saved", async (t) => {
  await add("dates-1", ones(2));
  const evolve = (_: unknown, { recordedAt, version }: StoredEvent) => ({ recordedAt, version, nothing: undefined });
  const facts: TechnicalFact[] = [];
  const raw = defineReducer<unknown>({ name: "raw", version: 1, initial: null, evolve, snapshotEvery: 1 });
  for (let i = 0; i < 2; i += 1)
    t.match(await loadState(db, "dates-1", raw, { onEvent: (fact) => facts.push(fact) }), {
      state: { recordedAt: Date, version: 2n },
      savedSnapshot: false,
    });
  t.match(facts, [{ type: "snapshot-not-saved", error: TypeError }, { type: "snapshot-not-saved" }]);
  const revived = defineReducer({
    name: "revived",
    version: 1,
    initial: null,
    evolve,
    snapshotEvery: 1,
    schema: z.object({ recordedAt: z.coerce.date(), version: z.coerce.bigint() }).nullable(),
  });
  const first = await loadState(db, "dates-1", revived);
  t.equal(first.savedSnapshot, true);
  t.match(await loadState(db, "dates-1", revived), {
    state: { recordedAt: first.state?.recordedAt, version: 2n },
    snapshotVersion: 2n,
  });
  for (const initial of [new Map([[1, 2]]), new Set([1]), [Number.NaN], { a: 10n ** 20n, b: 1n }]) {
    const same = defineReducer<unknown>({
      name: "same",
      version: 1,
      initial,
      evolve: (state) => state,
      snapshotEvery: 1,
    });
    t.match(await loadState(db, "dates-1", same), { savedSnapshot: false, state: initial });
  }
});
/** A definition with what a reducer has of it. */
function plain<S>(reducer: {
  readonly version: number;
  initial(): S;
  evolve(state: S, event: StoredEvent): S;
  readonly snapshotEvery: number | null;
}) {
  return {
    version: reducer.version,
    initial: reducer.initial(),
    evolve: reducer.evolve,
    snapshotEvery: reducer.snapshotEvery ?? undefined,
  };
}
