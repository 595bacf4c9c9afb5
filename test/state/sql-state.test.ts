import { PGlite } from "@electric-sql/pglite";
import t from "tap";
import { z } from "zod";
import {
  append,
  createReducer,
  type Db,
  fold,
  type Json,
  type LoadedState,
  loadState,
  migrate,
  ReducerFailedError,
  toDb,
  UnknownReducerError,
  UnknownVersionError,
} from "../../src/index.ts";
import { deposit, makeReducers } from "../sql/folding.ts";
import { testDatabase } from "../support/database.ts";

/** `fold` and `loadState` of reducers in SQL. What they fold to is tested in SQL. */

const { db, pool } = await testDatabase(t);
await makeReducers(pool);
await createReducer(db, { name: "account", function: "app.account", initial: { balance: 0 }, snapshotEvery: 3 });
const schema = z.object({ balance: z.number() });

t.test("as of now, of a version, of a moment; with a type and without", async (t) => {
  for (const amount of [5, 10, 20]) await deposit(pool, "plain-1", [amount]);
  const plain: LoadedState<Json> = await loadState(db, "plain-1", "account");
  t.same(plain, { state: { balance: 35 }, version: 3n, snapshotVersion: null, eventsFolded: 3, savedSnapshot: false });
  const typed: LoadedState<{ balance: number }> = await loadState(db, "plain-1", "account", { schema });
  t.equal(typed.state.balance, 35);
  t.equal((await fold(db, "plain-1", "account", { schema, atVersion: 2 })).balance, 15);
  t.equal((await fold(db, "plain-1", "account", { schema, atVersion: 0n })).balance, 0);
  const moments = await db.query<{ at: Date }>("select recorded_at as at from daybook.read_stream('plain-1')");
  for (const { at } of moments) {
    const { version } = await loadState(db, "plain-1", "account", { atTime: at });
    t.equal(version, BigInt(moments.filter((m) => m.at <= at).length), "its millisecond belongs to it");
  }
  t.same(await fold(db, "nothing-1", "account"), { balance: 0 });
});

t.test("from a snapshot that upkeep has taken", async (t) => {
  await deposit(pool, "taken-1", [1, 2, 3]);
  await db.query("select from daybook.take_snapshots('account')");
  await deposit(pool, "taken-1", [4]);
  t.match(await loadState(db, "taken-1", "account"), {
    state: { balance: 10 },
    version: 4n,
    snapshotVersion: 3n,
    eventsFolded: 1,
    savedSnapshot: false,
  });
  t.match(
    await loadState(db, "taken-1", "account", { initial: { balance: 100 } }),
    { state: { balance: 110 }, snapshotVersion: null },
    "with another initial state it is of no use",
  );
});

t.test("a function that is no reducer, an initial state of any JSON, a tenant", async (t) => {
  await deposit(pool, "own-1", [5], "one");
  const options = { initial: { balance: 1 }, tenantId: "one" };
  t.same(await fold(db, "own-1", "app.account", options), { balance: 6 });
  t.same(await fold(db, "own-1", "app.account", { initial: [1n, "two", null] }), [1, "two", null]);
});

t.test("a schema makes of the state what the application has", async (t) => {
  await deposit(pool, "revived-1", [5]);
  const revived = z.object({ balance: z.number().transform(BigInt) });
  t.same(await fold(db, "revived-1", "account", { schema: revived }), { balance: 5n });
  await t.rejects(fold(db, "revived-1", "account", { schema: z.object({ owner: z.string() }) }), { name: "ZodError" });
});

t.test("what is refused", async (t) => {
  await deposit(pool, "refused-1", [1]);
  await append(db, { streamId: "refused-1", events: { type: "Divided", data: { by: 0 } } });
  await t.rejects(fold(db, "refused-1", "nobody"), UnknownReducerError);
  await t.rejects(fold(db, "refused-1", "app.nothing"), { code: "YD611" });
  await t.rejects(fold(db, "refused-1", "account", { atVersion: 9 }), UnknownVersionError);
  await t.rejects(fold(db, "refused-1", "account", { atVersion: -1 }), { code: "YD108" });
  await t.rejects(fold(db, "refused-1", "account", { atTime: new Date(Number.NaN) }), { code: "YD108" });
  await t.rejects(fold(db, "refused-1", "account", { initial: () => 0 }), { code: "YD108", message: /^initial is / });
  await t.rejects(fold(db, "refused\0-1", "account"), { code: "YD108" });
  const error = await fold(db, "refused-1", "account").catch((error: unknown) => error);
  t.ok(error instanceof ReducerFailedError);
  t.match(error, { detail: { reducer: "account", version: 2n, type: "Divided", stream_id: "refused-1" } });
});

t.test("in PGlite", async (t) => {
  const pglite = await PGlite.create();
  t.teardown(() => pglite.close());
  await migrate(pglite);
  const memory: Db = toDb(pglite);
  await memory.query("create schema app");
  await memory.query(`create function app.count(state jsonb, event daybook.event) returns jsonb language sql immutable as
    $$ select jsonb_build_object('events', coalesce((state ->> 'events')::integer, 0) + 1) $$`);
  t.equal(await createReducer(pglite, { name: "count", function: "app.count" }), true);
  await append(pglite, { streamId: "a-1", events: [1, 2].map((n) => ({ type: "T", data: { n } })) });
  t.same(await fold(pglite, "a-1", "count"), { events: 2 });
  t.match(await loadState(pglite, "a-1", "count", { atTime: new Date(0) }), { state: {}, version: 0n });
});
