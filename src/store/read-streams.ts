import { type DbLike, toDb } from "../db.ts";
import { InvalidArgumentError } from "../errors.ts";
import { toCount, toOrdinal, toTenant, toText } from "./arguments.ts";
import { type EventRow, eventColumns, toStoredEvent } from "./event-row.ts";
import type { StoredEvent } from "./types.ts";

/** One of several streams to read; a name alone = from its first event. */
export type StreamRead = string | { readonly streamId: string; readonly fromVersion?: bigint | number | undefined };

/** A stream as of the moment of the read. */
export interface StreamState {
  readonly streamId: string;
  /** Its version at that moment, 0 if it is empty; there may be more events than were given. */
  readonly streamVersion: bigint;
  readonly events: StoredEvent[];
}

/** A row of read_streams: all of the event is null for a stream that has none to give. */
type StreamEventRow = readonly [streamId: string, streamVersion: bigint, ...(EventRow | NoEvent)];
type NoEvent = readonly [position: null, ...unknown[]];

/**
 * Several streams and their versions, all as of one moment, in the order given.
 *
 * @param input.reads 1 to 1000 streams
 * @param input.maxCount events of each stream, default 1000, at most 100,000
 * @throws InvalidArgumentError, TenantNotGrantedError
 */
export async function readStreams(
  db: DbLike,
  input: {
    readonly reads: readonly StreamRead[];
    readonly maxCount?: number | undefined;
    readonly tenantId?: string | undefined;
  },
): Promise<StreamState[]> {
  const { reads, maxCount = 1000, tenantId } = input;
  const rows = await toDb(db).query<StreamEventRow>(
    `select stream_id, stream_version, ${eventColumns("(event).")} from daybook.read_streams(
       reads => $1::jsonb, max_count => $2::integer, tenant_id => $3::text)`,
    [`[${reads.map(readJson).join(",")}]`, toCount(maxCount, "maxCount"), toTenant(tenantId)],
    { name: "daybook_read_streams", rowMode: "array" },
  );
  return group(rows, maxCount);
}

function readJson(read: StreamRead): string {
  if (typeof read === "string") return JSON.stringify(toText(read, "streamId"));
  const { streamId, fromVersion } = read;
  if (typeof streamId !== "string") {
    throw new InvalidArgumentError("reads are names of streams, or { streamId, fromVersion? }", {
      detail: { argument: "reads", value: read },
      hint: 'For example: ["account-1", { streamId: "account-2", fromVersion: 5 }].',
    });
  }
  const stream = JSON.stringify(toText(streamId, "streamId"));
  return fromVersion === undefined
    ? `{"stream_id":${stream}}`
    : `{"stream_id":${stream},"from_version":${toOrdinal(fromVersion, "fromVersion")}}`;
}

/** One state a read: the rows of a read follow each other, at least one, at most `maxCount`, by version. */
function group(rows: readonly StreamEventRow[], maxCount: number): StreamState[] {
  const states: StreamState[] = [];
  let current: StreamState | undefined;
  for (const [streamId, streamVersion, ...columns] of rows) {
    if (!isEvent(columns)) {
      states.push({ streamId, streamVersion, events: [] });
      current = undefined;
      continue;
    }
    const event = toStoredEvent(columns);
    const last = current?.events.at(-1);
    const goesOn = current?.streamId === streamId && last && last.version < event.version;
    if (!current || !goesOn || current.events.length === maxCount) {
      current = { streamId, streamVersion, events: [] };
      states.push(current);
    }
    current.events.push(event);
  }
  return states;
}

function isEvent(columns: EventRow | NoEvent): columns is EventRow {
  return columns[0] !== null;
}
