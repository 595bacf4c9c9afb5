import { type DbLike, toDb } from "../db.ts";
import { toTenant, toUuid } from "./arguments.ts";
import { type EventRow, eventColumns, toStoredEvent } from "./event-row.ts";
import type { StoredEvent } from "./types.ts";

/**
 * The event with an id; undefined where there is none.
 *
 * @throws InvalidArgumentError, TenantNotGrantedError
 */
export async function readEvent(
  db: DbLike,
  input: { readonly eventId: string; readonly tenantId?: string | undefined },
): Promise<StoredEvent | undefined> {
  const [row] = await toDb(db).query<EventRow>(
    `select ${eventColumns()} from daybook.read_event(event_id => $1::uuid, tenant_id => $2::text)`,
    [toUuid(input.eventId, "eventId"), toTenant(input.tenantId)],
    { name: "daybook_read_event", rowMode: "array" },
  );
  return row && toStoredEvent(row);
}
