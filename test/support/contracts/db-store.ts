import type { Test } from "tap";
import {
  append,
  appendBatch,
  appendStreams,
  horizon,
  readAll,
  readEvent,
  readStream,
  readStreams,
  streamVersion,
} from "../../../src/index.ts";
import type { DbSubject } from "./db-contract.ts";

const eventId = "0192d3c4-0000-7000-8000-00000000000a";
const correlationId = "0192d3c4-0000-7000-8000-00000000000b";

/** The store's calls give the same results and types. */
export async function checkStore(t: Test, { db, inTransaction }: DbSubject): Promise<void> {
  const occurredAt = new Date("2026-03-01T12:00:00.123Z");
  const data = { amount: 9007199254740993n, items: [{ name: 'ä € \\ "q"', price: 1.5 }], none: null };
  const first = await append(db, {
    streamId: "contract-1",
    events: { type: "Opened", data, metadata: { by: "test" }, eventId, correlationId, occurredAt, tags: ["b", "a"] },
    expectedVersion: "none",
  });
  t.strictSame(first, {
    streamVersion: 1n,
    firstPosition: first.firstPosition,
    lastPosition: first.firstPosition,
    duplicate: false,
  });
  t.type(first.firstPosition, "bigint");

  const more = await append(db, {
    streamId: "contract-1",
    events: [{ type: "Paid", data: {} }, { type: "Closed", data: {}, schemaVersion: 2 }], // biome-ignore format: two events
    expectedVersion: 1,
    idempotencyKey: "key",
  });
  t.equal(more.streamVersion, 3n);
  t.equal(more.lastPosition, more.firstPosition + 1n);
  const again = await append(db, {
    streamId: "contract-1",
    events: [{ type: "Paid", data: {} }, { type: "Closed", data: {}, schemaVersion: 2 }], // biome-ignore format: two events
    idempotencyKey: "key",
  });
  t.strictSame(again, { ...more, duplicate: true });

  const [event, ...others] = await readStream(db, { streamId: "contract-1" });
  t.ok(event?.recordedAt instanceof Date);
  t.strictSame(event, {
    position: first.firstPosition,
    tenantId: "default",
    streamId: "contract-1",
    version: 1n,
    category: "contract",
    type: "Opened",
    data,
    metadata: { by: "test" },
    eventId,
    correlationId,
    causationId: null,
    schemaVersion: 1,
    tags: ["a", "b"],
    occurredAt,
    recordedAt: event?.recordedAt,
  });
  t.strictSame(
    others.map(({ type, version, schemaVersion, tags }) => ({ type, version, schemaVersion, tags })),
    [
      { type: "Paid", version: 2n, schemaVersion: 1, tags: [] },
      { type: "Closed", version: 3n, schemaVersion: 2, tags: [] },
    ],
  );
  t.strictSame(await readEvent(db, { eventId }), event);
  t.equal(await streamVersion(db, { streamId: "contract-1" }), 3n);
  t.type(await horizon(db), "bigint");
  const log = await readAll(db, { afterPosition: 0 });
  if (!inTransaction) t.strictSame(log.slice(0, 1), [event], "the log begins with it");
  await checkSeveral(t, db);
}

async function checkSeveral(t: Test, db: DbSubject["db"]): Promise<void> {
  const event = { type: "Moved", data: {} };
  const both = await appendStreams(db, {
    appends: [
      { streamId: "contract-2", events: [event], expectedVersion: "none" },
      { streamId: "contract-1", expectedVersion: 3n },
      { streamId: "contract-3", events: [event, event] },
    ],
  });
  t.match(both, [
    { streamId: "contract-2", streamVersion: 1n },
    { streamId: "contract-1", streamVersion: 3n },
    { streamId: "contract-3", streamVersion: 2n },
  ]);
  const outcomes = await appendBatch(db, {
    appends: [
      { streamId: "contract-2", events: [event] },
      { streamId: "contract-3", events: [event], expectedVersion: 7 },
    ],
  });
  t.match(outcomes, [
    { status: "appended", streamVersion: 2n },
    { status: "failed", error: { code: "YD001", conflicts: [{ streamId: "contract-3", expected: 7n, actual: 2n }] } },
  ]);
  const states = await readStreams(db, {
    reads: ["contract-3", "contract-none", { streamId: "contract-2", fromVersion: 2 }],
  });
  t.strictSame(
    states.map((state) => [state.streamId, state.streamVersion, state.events.map((e) => e.version)]),
    [
      ["contract-3", 2n, [1n, 2n]],
      ["contract-none", 0n, []],
      ["contract-2", 2n, [2n]],
    ],
  );
}
