import t from "tap";
import { append, appendBatch, appendStreams, type NewEvent, streamVersion } from "../../src/index.ts";
import { testDatabase } from "../support/database.ts";

const { db } = await testDatabase(t);
const event: NewEvent = { type: "Moved", data: { amount: 5 } };

t.test("appendStreams: all streams or none, results in the order given", async (t) => {
  const results = await appendStreams(db, {
    appends: [
      { streamId: "b-1", events: [event, event], expectedVersion: "none" },
      { streamId: "a-1", events: event },
      { streamId: "c-1", expectedVersion: "none" },
    ],
  });
  t.match(results, [
    { streamId: "b-1", streamVersion: 2n, duplicate: false },
    { streamId: "a-1", streamVersion: 1n, duplicate: false },
    { streamId: "c-1", streamVersion: 0n, firstPosition: null, lastPosition: null },
  ]);
  t.ok((results[0]?.lastPosition ?? 0n) < (results[1]?.firstPosition ?? 0n));
});

t.test("appendStreams: every check that failed is reported, and nothing is written", async (t) => {
  await append(db, { streamId: "checked-1", events: event });
  await t.rejects(
    appendStreams(db, {
      appends: [
        { streamId: "checked-1", events: event, expectedVersion: "none" },
        { streamId: "checked-2", events: event },
        { streamId: "checked-3", expectedVersion: "exists" },
      ],
    }),
    {
      name: "WrongExpectedVersionError",
      conflicts: [
        { streamId: "checked-1", expected: 0n, actual: 1n },
        { streamId: "checked-3", expected: -1n, actual: 0n },
      ],
    },
  );
  t.equal(await streamVersion(db, { streamId: "checked-2" }), 0n);
});

t.test("appendBatch: each entry has its own outcome, in the order given", async (t) => {
  await append(db, { streamId: "batch-4", events: event, idempotencyKey: "k" });
  const outcomes = await appendBatch(db, {
    appends: [
      { streamId: "batch-1", events: [event, event] },
      { streamId: "batch-2", events: { type: "", data: {} } },
      { streamId: "batch-3", events: event, expectedVersion: 7 },
      { streamId: "batch-4", events: event, idempotencyKey: "k" },
      { streamId: "", events: event },
      { streamId: "batch-5", events: event, tenantId: "other" },
      { streamId: "batch-1", events: event },
    ],
  });
  t.match(outcomes, [
    { status: "appended", streamId: "batch-1", streamVersion: 2n, duplicate: false },
    { status: "failed", streamId: "batch-2", error: { name: "InvalidEventError" } },
    {
      status: "failed",
      streamId: "batch-3",
      error: { name: "WrongExpectedVersionError", detail: { stream_id: "batch-3" } },
    },
    { status: "duplicate", streamId: "batch-4", streamVersion: 1n, duplicate: true },
    { status: "failed", streamId: "", error: { name: "InvalidStreamIdError" } },
    { status: "appended", streamId: "batch-5", streamVersion: 1n },
    { status: "appended", streamId: "batch-1", streamVersion: 3n },
  ]);
  t.equal(await streamVersion(db, { streamId: "batch-5", tenantId: "other" }), 1n);
});

t.test("appendBatch: an error of the application's own keeps its code", async (t) => {
  await db.query(`
    create function refuse() returns trigger language plpgsql as $$
    begin
      raise exception 'the application refuses' using errcode = 'P0042', hint = 'ask';
    end $$`);
  await db.query(`create trigger refuse before insert on daybook.event_log
    for each row when (new.type = 'Refused') execute function refuse()`);
  const appends = [1, 2, 3].map((i) => ({
    streamId: `trigger-${i}`,
    events: { type: i === 2 ? "Refused" : "Taken", data: {} },
  }));
  const outcomes = await appendBatch(db, { appends });
  t.match(outcomes, [
    { status: "appended" },
    {
      status: "failed",
      error: { name: "DatabaseError", code: "P0042", message: "the application refuses", hint: "ask" },
    },
    { status: "appended" },
  ]);
});

t.test("appendBatch: a stream that somebody else holds is busy", async (t) => {
  await append(db, { streamId: "held-1", events: event });
  await db.transaction(async (tx) => {
    await append(tx, { streamId: "held-1", events: event });
    const outcomes = await appendBatch(db, {
      appends: [1, 2].map((i) => ({ streamId: `held-${i}`, events: event })),
    });
    t.match(outcomes, [
      { status: "busy", streamId: "held-1" },
      { status: "appended", streamId: "held-2" },
    ]);
  });
});
