import { openCall } from "../consumers/call-scope.ts";
import { EffectError, type PerformContext, type Source } from "../consumers/types.ts";
import type { Db } from "../db.ts";
import { type EventRow, eventColumns, toStoredEvent } from "../store/event-row.ts";
import type { StoredEvent } from "../store/types.ts";
import type { Handler, HandlerContext } from "./define-handler.ts";

const readText = `select ${eventColumns()} from daybook.read_events_for(
  name => $1::text, "position" => $2::bigint, horizon => $3::bigint, max_count => $4::integer, shard => $5::integer,
  shard_count => $6::integer, kind => $7::text)`;

const readParkedText = `select ${eventColumns()} from daybook.read_parked_events(
  name => $1::text, tenant_id => $2::text, stream_id => $3::text, from_position => $4::bigint, through => $5::bigint,
  max_count => $6::integer, kind => $7::text)`;

/** Code that is given events. */
export type EventCode = Pick<Handler, "handle" | "handleBatch" | "batchByTenant" | "tenantId">;

/** The events of a handler, or of a projection in TypeScript, and its code. */
export function handlerSource(
  handler: EventCode,
  name: string,
  kind: "handler" | "projection" = "handler",
): Source<StoredEvent> {
  return {
    kind,
    isTransactional: true,
    factsOf: ({ position, tenantId, streamId, eventId, type }) => ({ position, tenantId, streamId, id: eventId, type }),
    async read(tx, of, { after, horizon, maxCount }) {
      const values = [of.name, after, horizon, maxCount, of.shard, of.shardCount, kind];
      const rows = await tx.query<EventRow>(readText, values, { name: "daybook_read_events_for", rowMode: "array" });
      return rows.map(toStoredEvent);
    },
    async readParked(tx, of, { tenantId, streamId, from, through, maxCount }) {
      const values = [of.name, tenantId, streamId, from, through, maxCount, kind];
      const rows = await tx.query<EventRow>(readParkedText, values, {
        name: "daybook_read_parked_events",
        rowMode: "array",
      });
      return rows.map(toStoredEvent);
    },
    async perform(tx, events, context) {
      const done = await (handler.handleBatch ? handleMany : handleEach)(handler, name, tx, events, context);
      return { done, taken: done, refusals: [] };
    },
  };
}

/** Gives how many were handled: it ends early where the time is over, or it is told to stop. */
async function handleEach(
  handler: EventCode,
  name: string,
  tx: Db,
  events: readonly StoredEvent[],
  context: PerformContext,
): Promise<number> {
  const { signal, deadline, narrow } = context;
  for (const [index, event] of events.entries()) {
    if (signal.aborted || (index > 0 && performance.now() >= deadline)) return index;
    await narrow(event.tenantId);
    const attempt = index === 0 ? context.attempt : 1;
    await call(tx, index, context, (callTx) =>
      handler.handle?.(event, { tx: callTx, handler: name, tenantId: event.tenantId, attempt, signal }),
    );
  }
  return events.length;
}

async function handleMany(
  handler: EventCode,
  name: string,
  tx: Db,
  events: readonly StoredEvent[],
  context: PerformContext,
): Promise<number> {
  const { attempt, signal, narrow } = context;
  if (signal.aborted) return 0;
  const batches = handler.batchByTenant
    ? [...Map.groupBy(events, (event) => event.tenantId)]
    : events.length > 0
      ? [[handler.tenantId, events] as const]
      : [];
  for (const [tenantId, batch] of batches) {
    await narrow(tenantId);
    const facts = { handler: name, tenantId, attempt, signal } satisfies Omit<HandlerContext, "tx">;
    await call(tx, undefined, context, (callTx) => handler.handleBatch?.(batch, { tx: callTx, ...facts }));
  }
  return events.length;
}

/** One call of the handler's code. A statement whose error it swallowed fails it all the same: half would be committed. */
async function call(
  tx: Db,
  index: number | undefined,
  { onMayHaveSet }: PerformContext,
  work: (tx: Db) => Promise<void> | void,
): Promise<void> {
  const scope = openCall(tx);
  try {
    await work(scope.tx);
    await scope.settle();
    if (scope.mayHaveSet) onMayHaveSet();
  } catch (error) {
    scope.end();
    throw new EffectError(index, originOf(error, scope.failure?.error));
  }
}

/** "current transaction is aborted" is what comes after an error: that one is told. */
function originOf(error: unknown, first: unknown): unknown {
  const isAfterwards = error instanceof Error && "code" in error && error.code === "25P02";
  return isAfterwards && first !== undefined ? first : error;
}
