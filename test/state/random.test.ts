import { createHash } from "node:crypto";
import { inspect, isDeepStrictEqual } from "node:util";
import fc from "fast-check";
import t from "tap";
import { append, defineReducer, loadState, readStream, type StoredEvent } from "../../src/index.ts";
import { makeReducers } from "../sql/folding.ts";
import { testDatabase } from "../support/database.ts";

/*
 * A fold with snapshots equals a fold without, and the fold in SQL, whatever is appended, loaded, forgotten and changed in
 * between. The state is a chain of hashes, so that an event more, less or elsewhere in the order shows.
 */

const { db, pool } = await testDatabase(t);
await makeReducers(pool);

type Chain = { readonly events: number; readonly link: string };
const md5 = (text: string) => createHash("md5").update(text).digest("hex");

/** Version 1 and 2 have other hashes, as app.chain and app.chain_2 have. */
const chain = (version: number, snapshotEvery: number) =>
  defineReducer({
    name: "chain",
    version,
    initial: { events: 0, link: "" },
    evolve: (state: Chain, event: StoredEvent): Chain => ({
      events: state.events + 1,
      link: md5(`${version === 1 ? "" : version}${state.link}${event.eventId}`),
    }),
    snapshotEvery,
    keepSnapshots: 2,
  });

const step = fc.oneof(
  { weight: 4, arbitrary: fc.record({ append: fc.constantFrom(1, 2, 5, 40) }) },
  { weight: 3, arbitrary: fc.record({ load: fc.constantFrom(1, 2), every: fc.constantFrom(1, 3, 10) }) },
  { weight: 1, arbitrary: fc.record({ forget: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ save: fc.double({ min: 0, max: 1, noNaN: true }) }) },
);

let runs = 0;
let used = 0;

t.test("with and without snapshots, in TypeScript and in SQL", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { maxLength: 14 }),
      fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 3, maxLength: 3 }),
      fc.constantFrom("one", "two"),
      async (steps, places, tenantId) => {
        runs += 1;
        const streamId = `random-${runs}`;
        for (const one of steps) {
          await take(streamId, tenantId, one);
          await compare(streamId, tenantId, places);
        }
      },
    ),
    { numRuns: 25 },
  );
});

t.test("and there were snapshots", async (t) => {
  t.ok(used > 0, `used ${used} times in ${runs} runs`);
});

type Step = typeof step extends fc.Arbitrary<infer S> ? S : never;

async function take(streamId: string, tenantId: string, one: Step): Promise<void> {
  if ("append" in one) {
    const events = Array.from({ length: one.append }, (_, n) => ({ type: "T", data: { n } }));
    await append(db, { streamId, events, tenantId });
  } else if ("load" in one) {
    await loadState(db, streamId, chain(one.load, one.every), { tenantId });
  } else if ("forget" in one) {
    await pool.query("select daybook.forget_snapshots('chain', $1)", [one.forget ? streamId : "other-1"]);
  } else {
    // an older state that somebody saves late
    const last = (await loadState(db, streamId, chain(1, 1), { tenantId, snapshots: false })).version;
    const version = BigInt(Math.floor(Number(last) * one.save));
    if (version === 0n) return;
    const { state } = await loadState(db, streamId, chain(1, 1), { tenantId, atVersion: version, snapshots: false });
    await pool.query("select daybook.save_snapshot($1, 'chain', 1, $2, $3, 'client', 5, $4)", [
      streamId,
      version,
      state,
      tenantId,
    ]);
  }
}

async function compare(streamId: string, tenantId: string, places: readonly number[]): Promise<void> {
  const events = await readStream(db, { streamId, tenantId, maxCount: 10_000 });
  const pick = (place = 0) => events[Math.floor(place * events.length)];
  const at = [{}, { atVersion: pick(places[0])?.version }, { atTime: pick(places[1])?.recordedAt }, { atVersion: 0 }];
  for (const [version, reducer] of [
    [1, "app.chain"],
    [2, "app.chain_2"],
  ] as const) {
    for (const point of at) {
      const options = { tenantId, ...point };
      const found = await loadState(db, streamId, chain(version, 1_000_000), options);
      const expected = await loadState(db, streamId, chain(version, 1), { ...options, snapshots: false });
      const [inSql] = await db.query<{ state: Chain; version: bigint }>(
        `select coalesce(nullif(state, '{}'), '{"events": 0, "link": ""}') as state, version
           from daybook.load_state($1, $2, null, $3, $4::timestamptz + interval '999 microseconds', $5)`,
        [streamId, reducer, point.atVersion ?? null, point.atTime ?? null, tenantId],
      );
      same([found.state, found.version], [expected.state, expected.version], "with and without snapshots");
      same([inSql?.state, inSql?.version], [expected.state, expected.version], "in SQL and in TypeScript");
      if (found.snapshotVersion !== null) used += 1;
    }
  }
}

function same(one: readonly unknown[], other: readonly unknown[], what: string): void {
  if (!isDeepStrictEqual(one, other)) throw new Error(`${what}: ${inspect(one)} is not ${inspect(other)}`);
}
