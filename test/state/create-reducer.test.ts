import t from "tap";
import {
  createReducer,
  dropReducer,
  InvalidReducerError,
  ReducerDiffersError,
  UnknownReducerError,
} from "../../src/index.ts";
import { makeReducers } from "../sql/folding.ts";
import { testDatabase } from "../support/database.ts";

const { db, pool } = await testDatabase(t);
await makeReducers(pool);
const registered = () =>
  db.query(
    "select name, function, version, initial, snapshot_every, keep_snapshots, categories from daybook.reducers order by name",
  );

t.test("made, brought up to date, left alone by an older process, dropped", async (t) => {
  t.equal(await createReducer(db, { name: "account", function: "app.account" }), true);
  const plain = {
    name: "account",
    function: "app.account",
    version: 1,
    initial: {},
    snapshot_every: null,
    keep_snapshots: 3,
  };
  t.match(await registered(), [{ ...plain, categories: null }]);
  t.equal(await createReducer(db, { name: "account", function: "app.account" }), false);
  await t.rejects(createReducer(db, { name: "account", function: "app.chain" }), ReducerDiffersError);

  const next = {
    name: "account",
    function: "app.account",
    version: 2,
    initial: { balance: 0, since: new Date(0), list: [1n] },
    snapshotEvery: 100,
    keepSnapshots: 1,
    categories: ["account", "deposit"],
  };
  t.equal(await createReducer(db, next), false);
  const now = {
    version: 2,
    initial: { balance: 0, since: "1970-01-01T00:00:00.000Z", list: [1] },
    snapshot_every: 100,
    keep_snapshots: 1,
    categories: ["account", "deposit"],
  };
  t.match(await registered(), [now]);
  t.equal(await createReducer(db, { name: "account", function: "app.account", version: 1 }), false);
  t.match(await registered(), [now]);

  await dropReducer(db, { name: "account", reason: "an example" });
  t.same(await registered(), []);
  t.match(await db.query("select details from daybook.audit where action = 'drop_reducer'"), [
    { details: { reason: "an example" } },
  ]);
  await t.rejects(dropReducer(db, { name: "account" }), UnknownReducerError);
});

t.test("an initial state of any JSON", async (t) => {
  for (const initial of [[], [1, "two"], "text", 0, false, null]) {
    await createReducer(db, { name: "any", function: "app.chain", initial });
    t.match(await registered(), [{ name: "any", initial }]);
    await dropReducer(db, { name: "any" });
  }
});

t.test("what cannot be", async (t) => {
  for (const [input, problem] of [
    [{ name: "" }, /^name has 1 to 255 characters/],
    [{ name: "a.b" }, /^name has no dot/],
    [{ function: "account" }, /^function is schema\.function/],
    [{ function: "app.nothing" }, /^there is no function app\.nothing\(jsonb, daybook\.event\)/],
    [{ version: 0 }, /^version is at least 1/],
    [{ initial: { at: Number.NaN } }, /^initial\.at is /],
    [{ snapshotEvery: 0.5 }, /^snapshotEvery is a whole number/],
    [{ keepSnapshots: 1001 }, /^keepSnapshots is at most 1000/],
    [{ categories: [] }, /^categories are at least one/],
    [{ snapshot_every: 5 }, /^unknown keys snapshot_every/],
  ] as const) {
    const reducer = { name: "account", function: "app.account", ...input };
    // biome-ignore lint/suspicious/noExplicitAny: that is the point
    const error = await createReducer(db, reducer as any).catch((error: unknown) => error);
    t.ok(error instanceof InvalidReducerError && error.detail.problems.some((one) => problem.test(one)), `${problem}`);
  }
  t.same(await registered(), []);
});
