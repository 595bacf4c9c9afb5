import t from "tap";
import { append, defineReducer, fold, loadState, ReducerFailedError, UnknownVersionError } from "../../src/index.ts";
import { testDatabase } from "../support/database.ts";
import { add as addTo, ones, sum } from "./support.ts";

const { db } = await testDatabase(t);
const add = addTo.bind(undefined, db);

t.test("the state as of now, of a version, and of a moment", async (t) => {
  t.same(await fold(db, "plain-1", sum), { sum: 0, types: [] });
  for (const n of [1, 2, 3]) await add("plain-1", [n]);
  t.same(await loadState(db, "plain-1", sum), {
    state: { sum: 6, types: ["Added", "Added", "Added"] },
    version: 3n,
    snapshotVersion: null,
    eventsFolded: 3,
    savedSnapshot: false,
  });
  for (const [version, expected] of [0, 1, 3, 6].entries())
    t.equal((await fold(db, "plain-1", sum, { atVersion: version })).sum, expected);
  t.equal((await fold(db, "plain-1", sum, { atTime: new Date(0) })).sum, 0);
  const moments = await db.query<{ at: Date }>("select recorded_at as at from daybook.read_stream('plain-1')");
  for (const { at } of moments) {
    const expected = moments.filter((m) => m.at <= at).length;
    t.equal(
      (await loadState(db, "plain-1", sum, { atTime: at })).version,
      BigInt(expected),
      "its millisecond belongs to it",
    );
  }
});
t.test("a reducer that fails: which event, and why", async (t) => {
  await add("failing-1", ones(3));
  await append(db, { streamId: "failing-1", events: { type: "Failed", data: {} } });
  const error = await fold(db, "failing-1", sum).then(
    () => undefined,
    (e: unknown) => e,
  );
  t.ok(error instanceof ReducerFailedError);
  t.match(error, {
    code: "YD612",
    message: "reducer sum failed at version 4 of stream failing-1, an event Failed: no such number",
    detail: {
      reducer: "sum",
      reducer_version: 1,
      stream_id: "failing-1",
      tenant_id: "default",
      version: 4n,
      type: "Failed",
    },
    cause: RangeError,
  });
  t.equal((await fold(db, "failing-1", sum, { atVersion: 3 })).sum, 3);
  const forgetful = defineReducer<unknown>({ name: "forgetful", version: 1, initial: 0, evolve: () => undefined });
  await t.rejects(fold(db, "failing-1", forgetful), { code: "YD612", message: /version 1 .*: it returned undefined/ });
});

t.test("refused", async (t) => {
  await add("refused-1", ones(2));
  await t.rejects(fold(db, "refused-1", sum, { atVersion: 3 }), UnknownVersionError);
  const ahead = await fold(db, "refused-1", sum, { atVersion: 3 }).catch((error: unknown) => error);
  t.match(ahead, { code: "YD613", detail: { version: 3n, stream_version: 2n } });
  await t.rejects(fold(db, "refused-1", sum, { atVersion: -1 }), { code: "YD108" });
  await t.rejects(fold(db, "refused-1", sum, { atTime: new Date(Number.NaN) }), { code: "YD108" });
  await t.rejects(fold(db, "refused\0-1", sum), { code: "YD108" });
  const gone = new AbortController();
  gone.abort(new Error("enough"));
  await t.rejects(fold(db, "refused-1", sum, { signal: gone.signal }), { message: "enough" });
});

t.test("more than a page of events, and what is appended meanwhile is not folded", async (t) => {
  await add("long-1", ones(2500));
  let appended: Promise<unknown> | undefined;
  const slow = defineReducer({
    name: "slow",
    version: 1,
    initial: 0,
    evolve(count) {
      appended ??= add("long-1", ones(10));
      return count + 1;
    },
  });
  t.match(await loadState(db, "long-1", slow), { state: 2500, version: 2500n, eventsFolded: 2500 });
  await appended;
  t.match(await loadState(db, "long-1", slow), { state: 2510 });
});
