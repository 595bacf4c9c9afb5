import { type DbLike, toDb } from "../db.ts";
import { toCount, toMoment, toOrdinal, toTenant, toText } from "./arguments.ts";
import { type EventRow, eventColumns, toStoredEvent } from "./event-row.ts";
import { iteratePages, pagesBehind } from "./iterate-pages.ts";
import type { StoredEvent } from "./types.ts";

/** Which events of one type. */
export interface ReadTypeInput {
  readonly type: string;
  /** Only those recorded at this moment or later. Default: all. */
  readonly since?: Date | undefined;
  /** Position behind which to begin. Default 0: the beginning. */
  readonly afterPosition?: bigint | number | undefined;
  readonly tenantId?: string | undefined;
}

const readTypeText = `select ${eventColumns()} from daybook.read_type(
  type => $1::text, since => coalesce($2::timestamptz, '-infinity'), after_position => $3::bigint,
  max_count => $4::integer, tenant_id => $5::text)`;

/**
 * Events of one type in order of position, never past the horizon.
 *
 * @param input.maxCount default 1000, at most 100,000
 * @throws WrongIsolationError in a transaction of another isolation level than READ COMMITTED
 * @throws InvalidArgumentError, TenantNotGrantedError
 */
export async function readType(
  db: DbLike,
  input: ReadTypeInput & { readonly maxCount?: number | undefined },
): Promise<StoredEvent[]> {
  const { type, since, afterPosition = 0n, maxCount = 1000, tenantId } = input;
  const rows = await toDb(db).query<EventRow>(
    readTypeText,
    [
      toText(type, "type"),
      toMoment(since, "since"),
      toOrdinal(afterPosition, "afterPosition"),
      toCount(maxCount, "maxCount"),
      toTenant(tenantId),
    ],
    { name: "daybook_read_type", rowMode: "array" },
  );
  return rows.map(toStoredEvent);
}

/**
 * The events of one type up to the horizon, page by page; memory is bounded by two pages.
 *
 * @param input.pageSize default 1000
 * @param input.signal ends the iteration with its reason
 */
export function iterateType(
  db: DbLike,
  input: ReadTypeInput & { readonly pageSize?: number | undefined; readonly signal?: AbortSignal | undefined },
): AsyncGenerator<StoredEvent, void, undefined> {
  const { pageSize = 1000, signal, ...read } = input;
  const pages = pagesBehind(pageSize, (last: StoredEvent | undefined) =>
    readType(db, { ...read, ...(last && { afterPosition: last.position }), maxCount: pageSize }),
  );
  return iteratePages(pages, signal);
}
