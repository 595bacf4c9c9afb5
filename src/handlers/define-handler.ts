import { z } from "zod";
import {
  callable,
  consumerFields,
  type OnFailure,
  parseDefinition,
  type Retry,
  start,
  subscription,
} from "../consumers/definition.ts";
import type { Db } from "../db.ts";
import type { JsonObject } from "../store/json.ts";
import type { StoredEvent } from "../store/types.ts";

/** What a handler is given besides its events. */
export interface HandlerContext {
  /**
   * The transaction in which the handler's position moves: what is written here happens exactly once. It ends with the
   * call, so await all that is done with it. `tx.transaction(…)` makes a savepoint.
   */
  readonly tx: Db;
  /** Name it runs under: its own, or that of a replay. */
  readonly handler: string;
  /** Tenant that `tx` is narrowed to; null where a batch spans tenants (`batchByTenant: false`). */
  readonly tenantId: string | null;
  /** Which try this is, from 1. Of a batch: which try of its first event. */
  readonly attempt: number;
  /** Aborted when the worker stops: give up what takes long, by throwing. It counts as no failure. */
  readonly signal: AbortSignal;
}

/** Which events: all (`["*"]`), those of these types, or those of these categories (and, of them, types). */
export type SubscribesTo =
  | readonly string[]
  | { readonly categories: readonly string[]; readonly types?: readonly string[] | undefined };

/** Where a new handler begins: at the first event, behind the last, behind a position, or at a moment. */
export type StartFrom = "start" | "now" | bigint | Date;

/** What handlers of one event and of many have in common. */
interface CommonDefinition {
  /** Unique among handlers, 1 to 255 characters. Its position is kept under this name. */
  readonly name: string;
  readonly subscribesTo: SubscribesTo;
  /** Used once, when it is first registered. `"start"` unless said otherwise. */
  readonly from?: StartFrom | undefined;
  /** Runs so many times side by side, split by stream; can be changed at any time. 1 unless said otherwise. */
  readonly shards?: number | undefined;
  /** The one tenant it follows. All, unless said otherwise. */
  readonly tenantId?: string | undefined;
  /**
   * When an event has failed: `halt` = stay before it, and after the last try stop until somebody resumes it; `park` (the
   * default) = its stream waits, others flow; `skip` = after the last try go on without it. Nothing is lost: what used up
   * its tries is a dead letter.
   */
  readonly onFailure?: OnFailure | undefined;
  readonly retry?: Retry | undefined;
  /** Events in a transaction at most. 500 unless said otherwise. */
  readonly maxBatch?: number | undefined;
}

/** A handler of events one by one. */
export interface EachDefinition<D> extends CommonDefinition {
  /** Called for each event, in order of their positions; those of a stream in order of their versions, always. */
  handle(event: StoredEvent<D>, context: HandlerContext): Promise<void> | void;
  readonly handleBatch?: undefined;
  readonly batchByTenant?: undefined;
}

/** A handler of many events at once: several times as fast, and a failure fails all of them until the one is found. */
export interface BatchDefinition<D> extends CommonDefinition {
  /** Called with at least one event, in order. */
  handleBatch(events: readonly StoredEvent<D>[], context: HandlerContext): Promise<void> | void;
  /**
   * Whether batches are split by tenant (the default), with `tx` narrowed to it. False: one call has events of several
   * tenants, and `tx` sees all that the worker's role may see.
   */
  readonly batchByTenant?: boolean | undefined;
  readonly handle?: undefined;
}

/** A handler as it is defined. */
export type HandlerDefinition<D = JsonObject> = EachDefinition<D> | BatchDefinition<D>;

/** A handler, checked: what workers are given. `defineHandler` makes it. */
export interface Handler {
  readonly name: string;
  /** Null = all. */
  readonly types: readonly string[] | null;
  /** Null = all. */
  readonly categories: readonly string[] | null;
  readonly from: StartFrom;
  readonly shards: number;
  /** Null = all. */
  readonly tenantId: string | null;
  readonly onFailure: OnFailure;
  readonly retry: { readonly attempts: number; readonly baseDelay: number; readonly maxDelay: number };
  readonly maxBatch: number;
  readonly batchByTenant: boolean;
  readonly handle: ((event: StoredEvent, context: HandlerContext) => Promise<void> | void) | undefined;
  readonly handleBatch: ((events: readonly StoredEvent[], context: HandlerContext) => Promise<void> | void) | undefined;
}

const schema = z
  .strictObject({
    ...consumerFields,
    subscribesTo: subscription,
    from: start.default("start"),
    batchByTenant: z.boolean({ error: "batchByTenant is true or false" }).default(true),
    handle: callable("handle").optional(),
    handleBatch: callable("handleBatch").optional(),
  })
  .refine(({ handle, handleBatch }) => (handle === undefined) !== (handleBatch === undefined), {
    error: "either handle or handleBatch is given, not both",
  });

/**
 * Defines a handler: code that follows the log.
 *
 * @throws InvalidConsumerError (YD502) that says every problem
 */
export function defineHandler<D = JsonObject>(definition: HandlerDefinition<D>): Handler {
  const {
    subscribesTo,
    tenantId,
    handle: _,
    handleBatch: __,
    ...rest
  } = parseDefinition(schema, "handler", definition);
  // data is what the application says it is, here as everywhere it is read
  const { handle, handleBatch } = definition as HandlerDefinition<unknown> as HandlerDefinition;
  return Object.freeze({
    ...rest,
    ...subscribesTo,
    tenantId: tenantId ?? null,
    handle: handle?.bind(definition),
    handleBatch: handleBatch?.bind(definition),
  });
}
