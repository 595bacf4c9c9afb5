import type { JsonObject } from "./json.ts";
import type { StoredEvent } from "./types.ts";

/** The columns of daybook.event in the order of `EventRow`, of the relation or row named, if any. */
export function eventColumns(of = ""): string {
  return columns.map((column) => of + column).join(", ");
}

const columns = [
  "position",
  "tenant_id",
  "stream_id",
  "version",
  "category",
  "type",
  "data",
  "metadata",
  "event_id",
  "correlation_id",
  "causation_id",
  "schema_version",
  "tags",
  "occurred_at",
  "recorded_at",
] as const;

/** An event as the adapters give it in row mode array. */
export type EventRow = readonly [
  position: bigint,
  tenantId: string,
  streamId: string,
  version: bigint,
  category: string,
  type: string,
  data: JsonObject,
  metadata: JsonObject,
  eventId: string,
  correlationId: string | null,
  causationId: string | null,
  schemaVersion: number,
  tags: readonly string[] | null,
  occurredAt: Date,
  recordedAt: Date,
];

/** The event a row stands for. By hand: it runs for each event that is read (a test holds it against a schema). */
export function toStoredEvent(row: EventRow): StoredEvent {
  return {
    position: row[0],
    tenantId: row[1],
    streamId: row[2],
    version: row[3],
    category: row[4],
    type: row[5],
    data: row[6],
    metadata: row[7],
    eventId: row[8],
    correlationId: row[9],
    causationId: row[10],
    schemaVersion: row[11],
    tags: row[12] ?? [],
    occurredAt: row[13],
    recordedAt: row[14],
  };
}
