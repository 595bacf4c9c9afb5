import t from "tap";
import {
  append,
  createAuditTrail,
  createEventCounts,
  createLastEvents,
  drainProjection,
  InvalidProjectionError,
  ProjectionDiffersError,
  projectionStatus,
} from "../../src/index.ts";
import { testDatabase } from "../support/database.ts";

/** The projections that ship with Daybook, made from TypeScript. What their rows are is tested in SQL. */

const metadata = { actor: "ada" };

t.test("made, followed, there already", async (t) => {
  const { db } = await testDatabase(t);
  await append(db, { streamId: "visit-1", events: ["Opened", "Closed"].map((type) => ({ type, data: {}, metadata })) });
  for (const make of [createEventCounts, createLastEvents, createAuditTrail]) {
    t.equal(await make(db), true);
    t.equal(await make(db, {}), false, "it is there");
  }
  const status = await projectionStatus(db);
  t.match(
    status.map(({ name, mode, takes, schema, tables }) => ({ name, mode, takes, schema, tables })),
    ["audit_trail", "event_counts", "last_events"].map((name) => ({
      name,
      mode: "async",
      takes: "batch",
      schema: "daybook_projections",
      tables: [name],
    })),
  );
  for (const { name } of status) t.match(await drainProjection(db, name), { handled: 2, outcome: "dry" });
  t.match(await db.query("select type, events from daybook_projections.event_counts order by type"), [
    { type: "Closed", events: 1n },
    { type: "Opened", events: 1n },
  ]);
  t.match(await db.query("select stream_id, type, version from daybook_projections.last_events"), [
    { stream_id: "visit-1", type: "Closed", version: 2n },
  ]);
  t.match(await db.query("select actor, action, entity_type, entity_id from daybook_projections.audit_trail"), [
    { actor: "ada", action: "Opened", entity_type: "visit", entity_id: "1" },
    { actor: "ada", action: "Closed" },
  ]);
});

t.test("inline, of some events, under a name and in a schema of its own", async (t) => {
  const { db } = await testDatabase(t);
  await db.query("create schema reading authorization daybook_projector");
  const subscribesTo = { categories: ["visit"], types: ["Opened"] };
  t.equal(await createEventCounts(db, { name: "visits", mode: "inline", subscribesTo, schema: "reading" }), true);
  await append(db, { streamId: "visit-1", events: ["Opened", "Closed"].map((type) => ({ type, data: {} })) });
  await append(db, { streamId: "room-1", events: { type: "Opened", data: {} } });
  t.match(await db.query("select category, type, events from reading.event_counts"), [
    { category: "visit", type: "Opened", events: 1n },
  ]);
  t.match(await projectionStatus(db), [{ name: "visits", mode: "inline", state: "inline", schema: "reading" }]);
  await t.rejects(createEventCounts(db, { name: "visits", schema: "reading" }), ProjectionDiffersError);
});

t.test("what cannot be", async (t) => {
  const { db } = await testDatabase(t);
  for (const [input, problem] of [
    [{ name: "Visits" }, /^name has 1 to 40 lower-case letters/],
    [{ mode: "sometimes" }, /^mode is async or inline$/],
    [{ subscribesTo: [] }, /subscribesTo/],
    [{ typs: ["A"] }, /^unknown keys typs$/],
    [{ schema: "nowhere" }, /may not make views in schema nowhere/],
  ] as const) {
    // @ts-expect-error that is the point
    const error = await createLastEvents(db, input).catch((error: unknown) => error);
    t.ok(
      error instanceof InvalidProjectionError && error.detail.problems.some((one) => problem.test(one)),
      `${problem}`,
    );
  }
  t.same(await projectionStatus(db), []);
});
