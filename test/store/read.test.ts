import t from "tap";
import { z } from "zod";
import {
  append,
  categoryStreams,
  createEvent,
  createStore,
  horizon,
  readAll,
  readCategory,
  readEvent,
  readStream,
  readStreams,
  readType,
  type StoredEvent,
  streamVersion,
  trace,
} from "../../src/index.ts";
import { testDatabase } from "../support/database.ts";

const { db } = await testDatabase(t);

/** What decoding by hand has to give, whatever it was read by. */
const uuid = z.guid();
const storedEvent = z.strictObject({
  position: z.bigint(),
  tenantId: z.string(),
  streamId: z.string(),
  version: z.bigint(),
  category: z.string(),
  type: z.string(),
  data: z.looseObject({}),
  metadata: z.looseObject({}),
  eventId: uuid,
  correlationId: uuid.nullable(),
  causationId: uuid.nullable(),
  schemaVersion: z.int(),
  tags: z.array(z.string()),
  occurredAt: z.date(),
  recordedAt: z.date(),
});
function checked(events: readonly StoredEvent[]): readonly StoredEvent[] {
  return z.array(storedEvent).parse(events) && events;
}
const numbers = (events: readonly StoredEvent[]) => checked(events).map((event) => event.data.n);

const correlationId = "01936a7e-0000-7000-8000-00000000000c";
for (let n = 1; n <= 9; n += 1) {
  await append(db, {
    streamId: `${n % 3 === 0 ? "visit" : "room"}-${n % 2}`,
    events: { type: n % 2 === 0 ? "Even" : "Odd", data: { n }, tags: n === 5 ? ["five"] : [], correlationId },
    tenantId: n === 9 ? "other" : undefined,
  });
}

t.test("readStream: forwards, backwards, from a version, up to a count", async (t) => {
  // room-1 has 1, 5, 7
  const streamId = "room-1";
  t.same(numbers(await readStream(db, { streamId })), [1, 5, 7]);
  t.same(numbers(await readStream(db, { streamId, fromVersion: 2 })), [5, 7]);
  t.same(numbers(await readStream(db, { streamId, fromVersion: 2n, maxCount: 1 })), [5]);
  t.same(numbers(await readStream(db, { streamId, backwards: true })), [7, 5, 1]);
  t.same(numbers(await readStream(db, { streamId, backwards: true, fromVersion: 2 })), [5, 1]);
  t.same(await readStream(db, { streamId, fromVersion: 4 }), []);
  t.same(await readStream(db, { streamId: "room-none" }), []);
  t.same(numbers(await readStream(db, { streamId: "visit-1", tenantId: "other" })), [9]);
});

t.test("readAll: types, categories, tenants, pages", async (t) => {
  t.same(numbers(await readAll(db)), [1, 2, 3, 4, 5, 6, 7, 8]);
  t.same(numbers(await readAll(db, { types: ["Even"] })), [2, 4, 6, 8]);
  t.same(numbers(await readAll(db, { categories: ["visit"] })), [3, 6]);
  t.same(numbers(await readAll(db, { types: ["Odd"], categories: ["visit", "none"] })), [3]);
  t.same(numbers(await readAll(db, { tenantId: "*" })), [1, 2, 3, 4, 5, 6, 7, 8, 9]);
  const page = await readAll(db, { maxCount: 3 });
  t.same(numbers(await readAll(db, { afterPosition: page.at(-1)?.position, maxCount: 2 })), [4, 5]);
  t.equal(await horizon(db), (await readAll(db, { tenantId: "*" })).at(-1)?.position);
});

t.test("readType since a time, readCategory, categoryStreams", async (t) => {
  t.same(numbers(await readType(db, { type: "Odd" })), [1, 3, 5, 7]);
  const [third] = await readType(db, { type: "Odd", maxCount: 1, afterPosition: (await readAll(db))[1]?.position });
  // recordedAt is cut to milliseconds: others may share this one
  t.ok(numbers(await readType(db, { type: "Odd", since: third?.recordedAt })).includes(3));
  t.same(await readType(db, { type: "Odd", since: new Date(Date.now() + 60_000) }), []);
  t.same(numbers(await readCategory(db, { category: "visit" })), [3, 6]);
  t.same(numbers(await readCategory(db, { category: "visit", tenantId: "*" })), [3, 6, 9]);
  t.same(await readCategory(db, { category: "vis" }), []);

  const streams = await categoryStreams(db, { category: "room" });
  t.match(streams, [
    { streamId: "room-0", version: 3n, firstRecordedAt: Date, lastRecordedAt: Date },
    { streamId: "room-1", version: 3n },
  ]);
  t.match(await categoryStreams(db, { category: "room", maxCount: 1 }), [{ streamId: "room-0" }]);
  t.match(await categoryStreams(db, { category: "room", afterStreamId: "room-0" }), [{ streamId: "room-1" }]);
});

t.test("readEvent, streamVersion", async (t) => {
  const [event] = await readStream(db, { streamId: "room-1", fromVersion: 2 });
  t.strictSame(await readEvent(db, { eventId: event?.eventId ?? "" }), event);
  t.equal(await readEvent(db, { eventId: event?.eventId ?? "", tenantId: "other" }), undefined);
  t.equal(await readEvent(db, { eventId: correlationId }), undefined);
  t.equal(await streamVersion(db, { streamId: "room-0" }), 3n);
  t.equal(await streamVersion(db, { streamId: "room-9" }), 0n);
});

t.test("readStreams: a state for each read, in the order given, even where one is asked for twice", async (t) => {
  const reads = [
    "room-1",
    "none-1",
    { streamId: "room-1" },
    { streamId: "room-1", fromVersion: 3 },
    { streamId: "room-0", fromVersion: 4n },
    "visit-1",
  ];
  const states = await readStreams(db, { reads });
  t.same(
    states.map(({ streamId, streamVersion, events }) => [streamId, streamVersion, numbers(events)]),
    [
      ["room-1", 3n, [1, 5, 7]],
      ["none-1", 0n, []],
      ["room-1", 3n, [1, 5, 7]],
      ["room-1", 3n, [7]],
      ["room-0", 3n, []],
      ["visit-1", 1n, [3]],
    ],
  );
  const limited = await readStreams(db, { reads: ["room-1", { streamId: "room-1", fromVersion: 3 }], maxCount: 2 });
  t.same(
    limited.map(({ streamVersion, events }) => [streamVersion, numbers(events)]),
    [
      [3n, [1, 5]],
      [3n, [7]],
    ],
  );
});

t.test("trace: a tree by causation", async (t) => {
  const correlationId = "01936a7e-0000-7000-8000-0000000000ff";
  const make = (type: string, causationId?: string) => createEvent({ type, data: {}, correlationId, causationId });
  const ordered = make("Ordered");
  const paid = make("Paid", ordered.eventId);
  const booked = make("Booked", paid.eventId);
  const shipped = make("Shipped", ordered.eventId);
  const foreign = make("Imported", "01936a7e-0000-7000-8000-0000000000aa");
  for (const [i, event] of [ordered, paid, shipped, booked, foreign].entries()) {
    await append(db, { streamId: `order-${i}`, events: event });
  }
  const roots = await trace(db, { correlationId });
  checked(roots.map((root) => root.event));
  t.match(roots, [
    {
      depth: 0,
      event: { type: "Ordered" },
      children: [
        { depth: 1, event: { type: "Paid" }, children: [{ depth: 2, event: { type: "Booked" }, children: [] }] },
        { depth: 1, event: { type: "Shipped" }, children: [] },
      ],
    },
    { depth: 0, event: { type: "Imported" }, children: [] },
  ]);
  t.equal(roots[0]?.children.length, 2);
  t.same(await trace(db, { correlationId: foreign.eventId }), []);
});

t.test("createStore binds database and tenant; a call may name another", async (t) => {
  const store = createStore(db, { tenantId: "other" });
  t.same(numbers(await store.readAll()), [9]);
  t.same(numbers(await store.readAll({ tenantId: undefined })), [9]);
  t.equal((await store.readAll({ tenantId: "*" })).length, 14);
  t.equal((await store.append({ streamId: "bound-1", events: { type: "T", data: { n: 10 } } })).streamVersion, 1n);
  await store.appendBatch({ appends: [{ streamId: "bound-1", events: { type: "T", data: { n: 11 } } }] });
  await store.appendStreams({ appends: [{ streamId: "bound-1", events: { type: "T", data: { n: 12 } } }] });
  await using appender = store.createAppender();
  await appender.append({ streamId: "bound-1", events: { type: "T", data: { n: 13 } } });
  t.same(numbers(await store.readStream({ streamId: "bound-1" })), [10, 11, 12, 13]);
  const iterated: StoredEvent[] = [];
  for await (const event of store.iterateAll({ categories: ["bound"], pageSize: 3 })) iterated.push(event);
  t.same(numbers(iterated), [10, 11, 12, 13]);
  t.same(await readStream(db, { streamId: "bound-1" }), []);
});
