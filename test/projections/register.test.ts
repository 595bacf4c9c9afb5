import t from "tap";
import {
  advanceProjection,
  drainProjection,
  dropProjection,
  dropRebuild,
  InlineProjectionError,
  InvalidProjectionError,
  ProjectionDiffersError,
  ProjectionTimeoutError,
  pauseProjection,
  projectionStatus,
  RebuildUnderWayError,
  readAtLeast,
  rebuildProjection,
  registerProjection,
  replaceProjection,
  resetProjection,
  resumeProjection,
  UnknownProjectionError,
  waitFor,
} from "../../src/index.ts";
import { testDatabase } from "../support/database.ts";
import { applyFunctions, codeCounts, counts, seen, sqlCounts, tell } from "./support.ts";

for (const [kind, make] of [
  ["SQL", sqlCounts],
  ["TypeScript", codeCounts],
] as const) {
  t.test(`in ${kind}: made, drained, read, rebuilt, reset, dropped`, async (t) => {
    const database = await testDatabase(t);
    const { db } = database;
    await applyFunctions(database);
    const projection = make();
    await tell(db, "a-1", 3);
    t.equal(await registerProjection(db, projection), "created");
    t.equal(await registerProjection(db, projection), "there");
    t.match(await projectionStatus(db), [
      { name: "counts", version: 1, state: "running", behind: 3, building: null, tables: ["counts"], health: "good" },
    ]);
    t.match(await drainProjection(db, projection), { handled: 3, more: false, outcome: "dry" });
    t.same(await seen(database), { "a-1": 3 });

    const position = await tell(db, "b-1", 2);
    await t.rejects(waitFor(db, { projection: "counts", position, timeout: 50 }), ProjectionTimeoutError);
    const reading = readAtLeast(db, { projection: "counts", position }, () => seen(database));
    await drainProjection(db, projection);
    t.same(await reading, { "a-1": 3, "b-1": 2 });

    t.equal(await rebuildProjection(db, { name: "counts" }), 2);
    await t.rejects(rebuildProjection(db, { name: "counts" }), RebuildUnderWayError);
    t.match(await projectionStatus(db, { name: "counts" }), [
      { building: { version: 2, progress: 0, state: "running" } },
    ]);
    t.match(await drainProjection(db, projection, { name: "counts@2" }), { handled: 5, outcome: "dry" });
    t.match(await projectionStatus(db), [{ version: 2, building: null }]);
    t.same(await seen(database), { "a-1": 3, "b-1": 2 });
    t.match(await drainProjection(db, projection, { name: "counts@2" }), { handled: 0, outcome: "dry" }, "it is gone");

    t.equal(await rebuildProjection(db, { name: "counts" }), 3);
    t.equal(await dropRebuild(db, { name: "counts", reason: "not now" }), true);
    t.equal(await dropRebuild(db, { name: "counts" }), false);

    await pauseProjection(db, { name: "counts", reason: "a look" });
    await tell(db, "a-1");
    t.match(await drainProjection(db, projection), { handled: 0, outcome: "dry" });
    await resumeProjection(db, { name: "counts" });
    t.match(await drainProjection(db, projection), { handled: 1 });

    t.equal(await resetProjection(db, { name: "counts" }), 0n);
    t.same(await seen(database), {});
    await drainProjection(db, projection);
    t.same(await seen(database), { "a-1": 4, "b-1": 2 });

    await dropProjection(db, { name: "counts", reason: "no more" });
    t.same(await projectionStatus(db), []);
    await t.rejects(pauseProjection(db, { name: "counts" }), UnknownProjectionError);
  });

  t.test(`in ${kind}: a higher revision is built beside the live one, an older process leaves it`, async (t) => {
    const database = await testDatabase(t);
    const { db } = database;
    await applyFunctions(database);
    const old = make({ revision: 1 });
    await registerProjection(db, old);
    await tell(db, "a-1", 2);
    await drainProjection(db, old);
    await t.rejects(registerProjection(db, make({ subscribesTo: ["Told"] })), ProjectionDiffersError);

    const next = make({ revision: 2, tables: { counts: `${counts.counts}, note text` } });
    t.equal(await registerProjection(db, next), "replacing");
    t.equal(await registerProjection(db, next), "there");
    t.equal(await registerProjection(db, old), "there");
    // one that is newer than what is being built
    const newest = make({ revision: 3, tables: { counts: `${counts.counts}, note text, more text` } });
    t.equal(await registerProjection(db, newest), "replacing");
    t.match(await projectionStatus(db), [{ revision: 1, building: { version: 3 } }], "with a number of its own");
    if (kind === "TypeScript") {
      t.match(await drainProjection(db, old, { name: "counts@3" }), { handled: 0, outcome: "stale" }, "not its code");
      t.match(await drainProjection(db, newest), { handled: 0 }, "nor the other way round");
    }
    await drainProjection(db, newest, { name: "counts@3" });
    t.match(await projectionStatus(db), [{ version: 3, revision: 3, building: null }]);
    t.same(await seen(database), { "a-1": 2 });
    t.equal(await registerProjection(db, next), "there");
  });
}

t.test("inline: its failure refuses the append, and says so", async (t) => {
  const database = await testDatabase(t);
  const { db } = database;
  await applyFunctions(database);
  await registerProjection(
    db,
    sqlCounts({
      name: "visits",
      apply: "app.visits",
      mode: "inline",
      tables: { visits: "position bigint primary key, stream_id text" },
    }),
  );
  const position = await tell(db, "a-1");
  t.equal(await waitFor(db, { projection: "visits", position }), position);
  const error = await tell(db, "a-1", 1, { fail: true }).catch((error: unknown) => error);
  t.ok(error instanceof InlineProjectionError);
  t.match(error, { code: "YD607", detail: { projection: "visits", cause: { message: "cannot take it" } } });
});

t.test("what cannot be", async (t) => {
  const { db } = await testDatabase(t);
  await t.rejects(registerProjection(db, sqlCounts({ apply: "app.nothing" })), InvalidProjectionError);
  for (const call of [
    () => rebuildProjection(db, { name: "nobody" }),
    () => replaceProjection(db, { name: "nobody", apply: "a.b" }),
    () => resumeProjection(db, { name: "nobody" }),
    () => resetProjection(db, { name: "nobody" }),
    () => dropRebuild(db, { name: "nobody" }),
    () => dropProjection(db, { name: "nobody" }),
    () => advanceProjection(db, { name: "nobody" }),
    () => waitFor(db, { projection: "nobody", position: 0n }),
  ]) {
    await t.rejects(async () => void (await call()), UnknownProjectionError);
  }
});
