import { type DbLike, toDb } from "../db.ts";
import { toCount, toOrdinal, toTenant, toText } from "./arguments.ts";
import { type EventRow, eventColumns, toStoredEvent } from "./event-row.ts";
import type { StoredEvent } from "./types.ts";

/** Which part of the log. */
export interface ReadAllInput {
  /** Position behind which to begin. Default 0: the beginning. */
  readonly afterPosition?: bigint | number | undefined;
  /** Only these types. Default: all. */
  readonly types?: readonly string[] | undefined;
  /** Only these categories. Default: all. */
  readonly categories?: readonly string[] | undefined;
  /** `"*"` = every tenant the role is granted. */
  readonly tenantId?: string | undefined;
}

const readAllText = `select ${eventColumns()} from daybook.read_all(
  after_position => $1::bigint, max_count => $2::integer, types => $3::text[], categories => $4::text[],
  tenant_id => $5::text)`;

/**
 * Events of the whole store in order of position, behind a position and never past the horizon: whoever goes on from
 * the last one given never skips an event. Fewer than `maxCount`: the horizon is reached.
 *
 * @param input.maxCount default 1000, at most 100,000
 * @throws WrongIsolationError in a transaction of another isolation level than READ COMMITTED
 * @throws InvalidArgumentError, TenantNotGrantedError
 */
export async function readAll(
  db: DbLike,
  input: ReadAllInput & { readonly maxCount?: number | undefined } = {},
): Promise<StoredEvent[]> {
  const { afterPosition = 0n, maxCount = 1000, types, categories, tenantId } = input;
  const rows = await toDb(db).query<EventRow>(
    readAllText,
    [
      toOrdinal(afterPosition, "afterPosition"),
      toCount(maxCount, "maxCount"),
      types?.map((type) => toText(type, "types")),
      categories?.map((category) => toText(category, "categories")),
      toTenant(tenantId),
    ],
    { name: "daybook_read_all", rowMode: "array" },
  );
  return rows.map(toStoredEvent);
}
