import { z } from "zod";
import { callFunction } from "../consumers/call.ts";
import { subscription } from "../consumers/definition.ts";
import type { DbLike } from "../db.ts";
import type { SubscribesTo } from "../handlers/index.ts";
import { parseProjection, projectionFields } from "./projection-fields.ts";

/** How a projection that ships with Daybook is made. */
export interface ReadyMadeInput {
  /** That of its table unless said otherwise. */
  readonly name?: string | undefined;
  /** `async` (the default): it follows the log; a worker drives it. `inline`: appends apply their events themselves. */
  readonly mode?: "async" | "inline" | undefined;
  /** Which events. All unless said otherwise. */
  readonly subscribesTo?: SubscribesTo | undefined;
  /** Schema of its view. `daybook_projections` unless said otherwise. */
  readonly schema?: string | undefined;
}

/**
 * Makes a projection that counts events by tenant, category, type and day (of `recordedAt`, in UTC): view `event_counts`
 * (tenant_id, category, type, day, events, first_position, last_position).
 *
 * @returns whether it was made; false: it is there, the same
 * @throws InvalidProjectionError; ProjectionDiffersError where there is another one of that name
 */
export function createEventCounts(db: DbLike, input: ReadyMadeInput = {}): Promise<boolean> {
  return create(db, "event_counts", input);
}

/**
 * Makes a projection with the last event of each stream (of the types it is given): view `last_events` (tenant_id, stream_id,
 * category, version, position, event_id, type, data, metadata, correlation_id, occurred_at, recorded_at).
 *
 * @returns whether it was made; false: it is there, the same
 * @throws InvalidProjectionError; ProjectionDiffersError where there is another one of that name
 */
export function createLastEvents(db: DbLike, input: ReadyMadeInput = {}): Promise<boolean> {
  return create(db, "last_events", input);
}

/**
 * Makes a projection that says of every event who did what, when, to what: view `audit_trail` (tenant_id, position, event_id,
 * occurred_at, recorded_at, actor, action, entity_type, entity_id, stream_id, version, correlation_id, causation_id, details,
 * metadata). The actor is `actor`, `user_id` or `userId` of the metadata; details are the data of the event.
 *
 * @returns whether it was made; false: it is there, the same
 * @throws InvalidProjectionError; ProjectionDiffersError where there is another one of that name
 */
export function createAuditTrail(db: DbLike, input: ReadyMadeInput = {}): Promise<boolean> {
  return create(db, "audit_trail", input);
}

const schema = z.strictObject({
  ...projectionFields,
  subscribesTo: subscription.prefault(["*"]),
});

async function create(db: DbLike, kind: string, input: ReadyMadeInput): Promise<boolean> {
  const { name, mode, subscribesTo, schema: views } = parseProjection(schema, { ...input, name: input.name ?? kind });
  return callFunction(
    db,
    `create_${kind}`,
    {
      name: ["text", name],
      mode: ["text", mode],
      types: ["text[]", subscribesTo.types],
      categories: ["text[]", subscribesTo.categories],
      schema: ["text", views],
    },
    z.boolean(),
  );
}
