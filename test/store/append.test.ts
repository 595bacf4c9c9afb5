import t from "tap";
import {
  append,
  createEvent,
  type ExpectedVersion,
  fromPg,
  IdempotencyKeyReusedError,
  type NewEvent,
  readEvent,
  readStream,
  streamVersion,
  toDb,
  WrongExpectedVersionError,
} from "../../src/index.ts";
import { testDatabase } from "../support/database.ts";

const { db, pool } = await testDatabase(t);
const event: NewEvent = { type: "PatientCheckedIn", data: { room: 4 } };
const other: NewEvent = { type: "PatientCalled", data: {} };

t.test("expected versions: which appends pass, and what a conflict says", async (t) => {
  const versions: readonly (readonly [
    expected: ExpectedVersion | undefined,
    onEmpty: boolean,
    onTwo: boolean,
    sql: bigint,
  ])[] = [
    [undefined, true, true, 0n],
    ["any", true, true, 0n],
    ["none", true, false, 0n],
    [0, true, false, 0n],
    [0n, true, false, 0n],
    ["exists", false, true, -1n],
    [-1, false, true, -1n],
    [2, false, true, 2n],
    [2n, false, true, 2n],
    [1, false, false, 1n],
    [3n, false, false, 3n],
  ];
  for (const [count, events] of [
    [1, event],
    [2, [event, other]],
  ] as const) {
    for (const [i, [expectedVersion, onEmpty, onTwo, sql]] of versions.entries()) {
      for (const [actual, passes] of [
        [0n, onEmpty],
        [2n, onTwo],
      ] as const) {
        const streamId = `expected-${count}-${i}-${actual}`;
        if (actual > 0n) await append(db, { streamId, events: [event, event] });
        const call = append(db, { streamId, events, expectedVersion });
        if (passes) {
          t.match(await call, { streamVersion: actual + BigInt(count), duplicate: false }, streamId);
        } else {
          const conflict = { streamId, tenantId: "default", expected: sql, actual };
          await t.rejects(
            call,
            { name: "WrongExpectedVersionError", conflicts: [conflict], retriable: true },
            streamId,
          );
        }
        t.equal(await streamVersion(db, { streamId }), passes ? actual + BigInt(count) : actual);
      }
    }
  }
});

t.test("an event is stored with all that it says", async (t) => {
  const full: NewEvent = {
    type: "Ärztin 🩺 called",
    data: { text: 'a "b" \\ \n \u2028', amount: 12345678901234567890n, list: [1, null, { x: [] }] },
    metadata: { user: "nurse-7", tags: ["not", "these"] },
    eventId: "01936a7e-0000-7000-8000-000000000001",
    correlationId: "01936A7E-0000-7000-8000-00000000000A",
    causationId: "01936a7e-0000-7000-8000-00000000000b",
    schemaVersion: 3,
    occurredAt: new Date("2020-02-29T23:59:59.999Z"),
    tags: ["z", "a", "a", 'q"{,}'],
  };
  for (const events of [full, [{ ...full, eventId: undefined }, other]]) {
    const streamId = Array.isArray(events) ? "full-2" : "full-1";
    await append(db, { streamId, events });
    const [stored] = await readStream(db, { streamId });
    t.match(stored, {
      streamId,
      category: "full",
      type: full.type,
      data: full.data,
      metadata: full.metadata,
      correlationId: full.correlationId?.toLowerCase(),
      causationId: full.causationId,
      schemaVersion: 3,
      tags: ["a", 'q"{,}', "z"],
    });
    t.same(stored?.occurredAt, full.occurredAt);
    t.ok(Number(stored?.recordedAt) > Date.now() - 600_000);
  }
  t.match(await readEvent(db, { eventId: "01936A7E-0000-7000-8000-000000000001" }), { streamId: "full-1" });
});

t.test(
  "what is left out: no metadata, no tags, schema version 1, an id of version 7, the time it was recorded",
  async (t) => {
    await append(db, { streamId: "plain-1", events: event });
    const [stored] = await readStream(db, { streamId: "plain-1" });
    t.match(stored, { metadata: {}, tags: [], schemaVersion: 1, correlationId: null, causationId: null });
    t.match(stored?.eventId, /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    t.same(stored?.occurredAt, stored?.recordedAt);
  },
);

t.test("the same idempotency key writes once, and is refused with another payload", async (t) => {
  for (const [name, events] of [
    ["one", event],
    ["two", [event, other]],
  ] as const) {
    const input = { streamId: `idempotent-${name}`, events, idempotencyKey: "request-1" };
    const first = await append(db, input);
    t.strictSame(await append(db, input), { ...first, duplicate: true });
    await append(db, { streamId: input.streamId, events: other });
    t.strictSame(await append(db, input), { ...first, duplicate: true }, "whatever came after it");
    await t.rejects(append(db, { ...input, events: other }), IdempotencyKeyReusedError);
    t.equal(
      (await append(db, { ...input, streamId: `idempotent-${name}-other` })).duplicate,
      false,
      "keys are a stream's",
    );
  }
});

t.test("the retry of the same event ids at an exact version gives the first result", async (t) => {
  const events = [createEvent(event), createEvent(other)];
  for (const [streamId, list] of [
    ["retry-1", events.slice(0, 1)],
    ["retry-2", events],
  ] as const) {
    const input = { streamId, events: list, expectedVersion: "none" as const };
    const first = await append(db, input);
    await append(db, { streamId, events: event });
    t.strictSame(await append(db, input), { ...first, duplicate: true });
    await t.rejects(append(db, { ...input, events: [createEvent(event)] }), WrongExpectedVersionError);
  }
});

t.test("the application's rows and its events commit together, or neither", async (t) => {
  await db.query("create table visits (id int)");
  const work = (fails: boolean) =>
    toDb(pool).transaction(async (tx) => {
      await tx.query("insert into visits values (1)");
      await append(tx, { streamId: "together-1", events: event, expectedVersion: "none" });
      if (fails) throw new Error("the application changes its mind");
    });
  await t.rejects(work(true), { message: /changes its mind/ });
  t.equal(await streamVersion(db, { streamId: "together-1" }), 0n);
  await work(false);
  t.equal(await streamVersion(db, { streamId: "together-1" }), 1n);
  t.same(await db.query("select id from visits"), [{ id: 1 }]);

  const client = await pool.connect();
  await client.query("begin");
  await append(client, { streamId: "together-2", events: event });
  t.equal(await streamVersion(db, { streamId: "together-2" }), 0n, "not before the client commits");
  t.equal(await streamVersion(fromPg(client), { streamId: "together-2" }), 1n);
  await client.query("commit");
  client.release();
  t.equal(await streamVersion(db, { streamId: "together-2" }), 1n);
});

t.test("tenants keep streams of the same name apart", async (t) => {
  await append(db, { streamId: "shared-1", events: event, tenantId: "a" });
  await append(db, { streamId: "shared-1", events: [event, event], tenantId: "b" });
  t.equal(await streamVersion(db, { streamId: "shared-1", tenantId: "a" }), 1n);
  t.equal(await streamVersion(db, { streamId: "shared-1", tenantId: "b" }), 2n);
  t.equal(await streamVersion(db, { streamId: "shared-1" }), 0n);
});
