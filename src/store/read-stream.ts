import { type DbLike, toDb } from "../db.ts";
import { toCount, toOrdinal, toTenant, toText } from "./arguments.ts";
import { type EventRow, eventColumns, toStoredEvent } from "./event-row.ts";
import { iteratePages, pagesBehind } from "./iterate-pages.ts";
import type { StoredEvent } from "./types.ts";

/** Which events of which stream. */
export interface ReadStreamInput {
  readonly streamId: string;
  /** Version of the first event to give. Default: the first; backwards: the last. */
  readonly fromVersion?: bigint | number | undefined;
  /** Default false. */
  readonly backwards?: boolean | undefined;
  readonly tenantId?: string | undefined;
}

const readStreamText = `select ${eventColumns()} from daybook.read_stream(
  stream_id => $1::text, from_version => $2::bigint, max_count => $3::integer, backwards => $4::boolean,
  tenant_id => $5::text)`;

/**
 * Events of one stream in order of version; none where there is no such stream.
 *
 * @param input.maxCount default 1000, at most 100,000
 * @throws InvalidArgumentError, TenantNotGrantedError
 */
export async function readStream(
  db: DbLike,
  input: ReadStreamInput & { readonly maxCount?: number | undefined },
): Promise<StoredEvent[]> {
  const { streamId, fromVersion, maxCount = 1000, backwards = false, tenantId } = input;
  const rows = await toDb(db).query<EventRow>(
    readStreamText,
    [
      toText(streamId, "streamId"),
      fromVersion === undefined ? null : toOrdinal(fromVersion, "fromVersion"),
      toCount(maxCount, "maxCount"),
      backwards,
      toTenant(tenantId),
    ],
    { name: "daybook_read_stream", rowMode: "array" },
  );
  return rows.map(toStoredEvent);
}

/**
 * All events of one stream, page by page; memory is bounded by two pages. Events appended while it runs are given too,
 * if they come before it ends.
 *
 * @param input.pageSize default 500
 * @param input.signal ends the iteration with its reason
 */
export function iterateStream(
  db: DbLike,
  input: ReadStreamInput & { readonly pageSize?: number | undefined; readonly signal?: AbortSignal | undefined },
): AsyncGenerator<StoredEvent, void, undefined> {
  const { pageSize = 500, signal, ...read } = input;
  const step = read.backwards ? -1n : 1n;
  const pages = pagesBehind(pageSize, (last: StoredEvent | undefined) =>
    last?.version === 1n && read.backwards
      ? Promise.resolve([])
      : readStream(db, { ...read, ...(last && { fromVersion: last.version + step }), maxCount: pageSize }),
  );
  return iteratePages(pages, signal);
}
