import t from "tap";
import {
  append,
  appendBatch,
  appendStreams,
  categoryStreams,
  createEvent,
  type Db,
  readAll,
  readCategory,
  readEvent,
  readStream,
  readStreams,
  readType,
  streamVersion,
  trace,
} from "../../src/index.ts";
import { testDatabase } from "../support/database.ts";

/* What is refused before a round trip, with the class that SQL would give; and nothing is written. */

const { db } = await testDatabase(t);

/** A database that is never asked. */
const untouched: Db = {
  query: () => Promise.reject(new Error("this was sent")),
  transaction: () => Promise.reject(new Error("this was sent")),
};

const good = { type: "T", data: {} };
const id = "01936a7e-0000-7000-8000-000000000001";

const badEvents: readonly (readonly [name: string, event: unknown])[] = [
  ["null", null],
  ["a text", "T"],
  ["an array", [good]],
  ["no type", { data: {} }],
  ["an empty type", { type: "", data: {} }],
  ["a type over 255 characters", { type: "x".repeat(256), data: {} }],
  ["a type that is a number", { type: 5, data: {} }],
  ["a type with \\u0000", { type: "a\0b", data: {} }],
  ["a type with half a surrogate pair", { type: "\ud83d", data: {} }],
  ["no data", { type: "T" }],
  ["data null", { type: "T", data: null }],
  ["data an array", { type: "T", data: [] }],
  ["data a text", { type: "T", data: "{}" }],
  ["data a number", { type: "T", data: 1 }],
  ["data a Date", { type: "T", data: new Date() }],
  ["data a Map", { type: "T", data: new Map() }],
  ["data a function", { type: "T", data: () => ({}) }],
  ["metadata an array", { ...good, metadata: [] }],
  ["metadata null", { ...good, metadata: null }],
  ["an unknown key", { ...good, evntId: id }],
  ["a key of the SQL side", { ...good, event_id: id }],
  ["a malformed eventId", { ...good, eventId: "42" }],
  ["an eventId in braces", { ...good, eventId: `{${id}}` }],
  ["a malformed correlationId", { ...good, correlationId: `${id}0` }],
  ["a malformed causationId", { ...good, causationId: "" }],
  ["schemaVersion 0", { ...good, schemaVersion: 0 }],
  ["schemaVersion 1.5", { ...good, schemaVersion: 1.5 }],
  ["schemaVersion beyond an integer", { ...good, schemaVersion: 2 ** 31 }],
  ["an invalid Date", { ...good, occurredAt: new Date(Number.NaN) }],
  ["a text for a Date", { ...good, occurredAt: "2026-01-01T00:00:00Z" }],
  ["a Date beyond the year 9999", { ...good, occurredAt: new Date(Date.UTC(10_000, 0)) }],
  ["a Date before Christ", { ...good, occurredAt: new Date(Date.UTC(-1, 0)) }],
  ["tags a text", { ...good, tags: "a" }],
  ["an empty tag", { ...good, tags: ["a", ""] }],
  ["a tag that is a number", { ...good, tags: [1] }],
  ["a tag with \\u0000", { ...good, tags: ["\0"] }],
  ["NaN in the payload", { type: "T", data: { a: Number.NaN } }],
  ["\\u0000 in metadata", { ...good, metadata: { a: "\0" } }],
];

t.test("events", async (t) => {
  for (const [name, event] of badEvents) {
    const given = event as typeof good;
    const wanted = { name: "InvalidEventError", code: "YD101", detail: { index: 0, problem: /./ } };
    if (event !== null && !Array.isArray(event) && typeof event === "object") {
      await t.rejects(append(untouched, { streamId: "bad-1", events: given }), wanted, name);
      t.throws(() => createEvent(given), wanted, `createEvent: ${name}`);
    }
    await t.rejects(
      append(untouched, { streamId: "bad-1", events: [good, given] }),
      { ...wanted, detail: { index: 1 } },
      `second: ${name}`,
    );
    await t.rejects(appendStreams(untouched, { appends: [{ streamId: "bad-1", events: [given] }] }), wanted, name);
    const [, outcome] = await appendBatch(db, {
      appends: [
        { streamId: "batch-1", events: good },
        { streamId: "bad-1", events: [given] },
      ],
    });
    t.match(outcome, { status: "failed", error: wanted }, `in a batch: ${name}`);
  }
  t.equal(await streamVersion(db, { streamId: "bad-1" }), 0n);
  t.equal(await streamVersion(db, { streamId: "batch-1" }), BigInt(badEvents.length), "the others were written");
});

const badAppends: readonly (readonly [name: string, input: object, error: string])[] = [
  ["no events", { events: [] }, "InvalidAppendError"],
  ["events missing", { events: undefined }, "InvalidAppendError"],
  ["events a text", { events: "[]" }, "InvalidAppendError"],
  ["an unknown key", { expectedVerson: 3 }, "InvalidAppendError"],
  ["a key of the SQL side", { expected_version: 3 }, "InvalidAppendError"],
  ["an empty stream id", { streamId: "" }, "InvalidStreamIdError"],
  ["no stream id", { streamId: undefined }, "InvalidStreamIdError"],
  ["a stream id over 255 characters", { streamId: "x".repeat(256) }, "InvalidStreamIdError"],
  ["a stream id with a control character", { streamId: "a\u0007" }, "InvalidStreamIdError"],
  ["a stream id with \\u0000", { streamId: "a\0" }, "InvalidStreamIdError"],
  ["a stream id with DEL", { streamId: "a\u007f" }, "InvalidStreamIdError"],
  ["a stream id without category", { streamId: "-1" }, "InvalidStreamIdError"],
  ["a stream id with half a surrogate pair", { streamId: "a\udc00" }, "InvalidStreamIdError"],
  ["a negative version", { expectedVersion: -2 }, "InvalidExpectedVersionError"],
  ["a negative version, bigint", { expectedVersion: -2n }, "InvalidExpectedVersionError"],
  ["a version with a fraction", { expectedVersion: 1.5 }, "InvalidExpectedVersionError"],
  ["a version a double cannot count to", { expectedVersion: 2 ** 53 }, "InvalidExpectedVersionError"],
  ["a version beyond bigint", { expectedVersion: 2n ** 63n }, "InvalidExpectedVersionError"],
  ["NaN for a version", { expectedVersion: Number.NaN }, "InvalidExpectedVersionError"],
  ["a text for a version", { expectedVersion: "3" }, "InvalidExpectedVersionError"],
  ["an empty idempotency key", { idempotencyKey: "" }, "InvalidArgumentError"],
  ["an idempotency key over 255 characters", { idempotencyKey: "x".repeat(256) }, "InvalidArgumentError"],
  ["an empty tenant", { tenantId: "" }, "InvalidTenantError"],
  ["a tenant with a control character", { tenantId: "a\n" }, "InvalidTenantError"],
  [
    "the same event id twice",
    {
      events: [
        { ...good, eventId: id },
        { ...good, eventId: id.toUpperCase() },
      ],
    },
    "DuplicateEventIdError",
  ],
];

t.test("appends", async (t) => {
  for (const [name, change, error] of badAppends) {
    const input = { streamId: "bad-2", events: [good], ...change };
    await t.rejects(append(untouched, input), { name: error, code: /^YD1|^YD203/, hint: /./ }, name);
    const [outcome] = await appendBatch(untouched, { appends: [input] });
    t.match(outcome, { status: "failed", error: { name: error } }, `in a batch: ${name}`);
    if ("tenantId" in change || name === "no events" || name === "events missing") continue;
    await t.rejects(appendStreams(untouched, { appends: [input] }), { name: error }, `in appendStreams: ${name}`);
  }
  await t.rejects(appendStreams(untouched, { appends: [{ streamId: "a-1" }] }), { name: "InvalidAppendError" });
  const twice = [1, 2].map((i) => ({ streamId: `a-${i}`, events: { ...good, eventId: id } }));
  await t.rejects(appendStreams(untouched, { appends: twice }), { name: "DuplicateEventIdError" });
});

t.test("what the database refuses has the same classes", async (t) => {
  await t.rejects(append(db, { streamId: "a-1", events: good, tenantId: "*" }), { name: "InvalidTenantError" });
  await t.rejects(appendBatch(db, { appends: [] }), { name: "InvalidAppendError" });
  await t.rejects(appendStreams(db, { appends: [] }), { name: "InvalidAppendError" });
  const stream = { streamId: "a-1", events: good, expectedVersion: 0 };
  await t.rejects(appendStreams(db, { appends: [stream, stream] }), { name: "InvalidAppendError" });
  const large = { type: "T", data: { text: "x".repeat(1_100_000) } };
  for (const events of [large, [good, large]]) {
    const detail = { index: Array.isArray(events) ? 1 : 0, max_event_bytes: 1048576 };
    await t.rejects(append(db, { streamId: "a-1", events }), { name: "EventTooLargeError", detail });
  }
  const many = Array.from({ length: 10_001 }, () => good);
  await t.rejects(append(db, { streamId: "a-1", events: many }), {
    name: "TooManyEventsError",
    detail: { count: 10_001, max_events: 10_000 },
  });
  t.equal(await streamVersion(db, { streamId: "a-1" }), 0n);
});

t.test("reads", async (t) => {
  const text = "a\0";
  const calls: readonly (() => Promise<unknown>)[] = [
    () => readStream(untouched, { streamId: text }),
    () => readStream(untouched, { streamId: "a", fromVersion: -1 }),
    () => readStream(untouched, { streamId: "a", fromVersion: 1.5 }),
    () => readStream(untouched, { streamId: "a", maxCount: 0 }),
    () => readStream(untouched, { streamId: "a", maxCount: 100_001 }),
    () => readAll(untouched, { afterPosition: -1n }),
    () => readAll(untouched, { afterPosition: 2 ** 53 }),
    () => readAll(untouched, { afterPosition: 2n ** 63n }),
    () => readAll(untouched, { maxCount: 1.5 }),
    () => readAll(untouched, { types: [text] }),
    () => readAll(untouched, { categories: [text] }),
    () => readType(untouched, { type: text }),
    () => readType(untouched, { type: "T", since: new Date(Number.NaN) }),
    () => readCategory(untouched, { category: text }),
    () => categoryStreams(untouched, { category: "a", afterStreamId: "\ud800" }),
    () => readEvent(untouched, { eventId: "42" }),
    () => trace(untouched, { correlationId: `${id} ` }),
    () => readStreams(untouched, { reads: ["a", text] }),
    () => readStreams(untouched, { reads: [{ streamId: "a", fromVersion: -1 }] }),
    () => streamVersion(untouched, { streamId: text }),
    () => readStreams(db, { reads: [] }),
  ];
  for (const call of calls) await t.rejects(call(), { name: "InvalidArgumentError", code: "YD108" }, String(call));
  const tenantId = "a\0";
  await t.rejects(readAll(untouched, { tenantId }), { name: "InvalidTenantError" });
  await t.rejects(appendBatch(untouched, { appends: [{ streamId: "a", events: good }], tenantId }), {
    name: "InvalidTenantError",
  });
  await t.rejects(readStream(db, { streamId: "a", tenantId: "*" }), { name: "InvalidTenantError" });
});
