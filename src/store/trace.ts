import { type DbLike, toDb } from "../db.ts";
import { toTenant, toUuid } from "./arguments.ts";
import { type EventRow, eventColumns, toStoredEvent } from "./event-row.ts";
import type { StoredEvent } from "./types.ts";

/** An event of a causation tree and what it led to. */
export interface TraceNode {
  readonly event: StoredEvent;
  /** Steps from the root, which is at 0. */
  readonly depth: number;
  /** In order of position. */
  readonly children: TraceNode[];
}

/**
 * The events of one correlation id as trees: each event below the one that caused it (`causationId`). Roots are those
 * that were caused by nothing, or by something else than an event of this correlation.
 *
 * @throws InvalidArgumentError, TenantNotGrantedError
 */
export async function trace(
  db: DbLike,
  input: { readonly correlationId: string; readonly tenantId?: string | undefined },
): Promise<TraceNode[]> {
  const rows = await toDb(db).query<readonly [depth: number, ...EventRow]>(
    `select depth, ${eventColumns("(event).")} from daybook.trace(correlation_id => $1::uuid, tenant_id => $2::text)`,
    [toUuid(input.correlationId, "correlationId"), toTenant(input.tenantId)],
    { name: "daybook_trace", rowMode: "array" },
  );
  const roots: TraceNode[] = [];
  // the way from a root to the node at hand: rows come in the order in which a tree is read
  const way: TraceNode[] = [];
  for (const [depth, ...columns] of rows) {
    const node: TraceNode = { event: toStoredEvent(columns), depth, children: [] };
    (way[depth - 1]?.children ?? roots).push(node);
    way[depth] = node;
  }
  return roots;
}
