import { type DbLike, toDb } from "../db.ts";
import { toCount, toOrdinal, toTenant, toText } from "./arguments.ts";
import { type EventRow, eventColumns, toStoredEvent } from "./event-row.ts";
import { iteratePages, pagesBehind } from "./iterate-pages.ts";
import type { StoredEvent } from "./types.ts";

/** Which events of one category. */
export interface ReadCategoryInput {
  /** The part of the streams' names before the first dash. */
  readonly category: string;
  /** Position behind which to begin. Default 0: the beginning. */
  readonly afterPosition?: bigint | number | undefined;
  /** `"*"` = every tenant the role is granted. */
  readonly tenantId?: string | undefined;
}

const readCategoryText = `select ${eventColumns()} from daybook.read_category(
  category => $1::text, after_position => $2::bigint, max_count => $3::integer, tenant_id => $4::text)`;

/**
 * Events of one category in order of position, never past the horizon.
 *
 * @param input.maxCount default 1000, at most 100,000
 * @throws WrongIsolationError in a transaction of another isolation level than READ COMMITTED
 * @throws InvalidArgumentError, TenantNotGrantedError
 */
export async function readCategory(
  db: DbLike,
  input: ReadCategoryInput & { readonly maxCount?: number | undefined },
): Promise<StoredEvent[]> {
  const { category, afterPosition = 0n, maxCount = 1000, tenantId } = input;
  const rows = await toDb(db).query<EventRow>(
    readCategoryText,
    [
      toText(category, "category"),
      toOrdinal(afterPosition, "afterPosition"),
      toCount(maxCount, "maxCount"),
      toTenant(tenantId),
    ],
    { name: "daybook_read_category", rowMode: "array" },
  );
  return rows.map(toStoredEvent);
}

/**
 * The events of one category up to the horizon, page by page; memory is bounded by two pages.
 *
 * @param input.pageSize default 1000
 * @param input.signal ends the iteration with its reason
 */
export function iterateCategory(
  db: DbLike,
  input: ReadCategoryInput & { readonly pageSize?: number | undefined; readonly signal?: AbortSignal | undefined },
): AsyncGenerator<StoredEvent, void, undefined> {
  const { pageSize = 1000, signal, ...read } = input;
  const pages = pagesBehind(pageSize, (last: StoredEvent | undefined) =>
    readCategory(db, { ...read, ...(last && { afterPosition: last.position }), maxCount: pageSize }),
  );
  return iteratePages(pages, signal);
}
