import type { OnFailure, Retry } from "../consumers/definition.ts";
import type { Db, DbLike } from "../db.ts";
import type { StartFrom, SubscribesTo } from "../handlers/index.ts";
import type { JsonObject } from "../store/json.ts";
import type { StoredEvent } from "../store/types.ts";

/** What the code of a projection is given besides its events. */
export interface ProjectionContext {
  /**
   * The transaction in which the projection's position moves. Its `search_path` is the schema of the version that is
   * written, so name the tables as they are declared. It ends with the call, so await all that is done with it.
   */
  readonly tx: Db;
  readonly projection: string;
  /** Which version is written: the live one, or the one that is being built. */
  readonly version: number;
  /** Tenant that `tx` is narrowed to; null where a batch spans tenants (`batchByTenant: false`). */
  readonly tenantId: string | null;
  /** Which try this is, from 1. Of a batch: which try of its first event. */
  readonly attempt: number;
  /** Aborted when the worker stops: give up what takes long, by throwing. It counts as no failure. */
  readonly signal: AbortSignal;
}

/** What projections of every kind have in common. */
interface CommonDefinition {
  /** Unique among projections: 1 to 40 lower-case letters, digits, `_` and `-`, a letter first. */
  readonly name: string;
  /** Its tables: name and columns, as within `create table name (…)`. Each has a view of the same name for readers. */
  readonly tables: Readonly<Record<string, string>>;
  /** Statements that each version runs once its tables are made: indexes, comments. */
  readonly setup?: string | undefined;
  /** Schema of the views. `daybook_projections` unless said otherwise. */
  readonly schema?: string | undefined;
  /** Raise it with every change but those of how failures are met: the new version is built beside the live one. From 0; 1. */
  readonly revision?: number | undefined;
  /** Which events. All unless said otherwise. */
  readonly subscribesTo?: SubscribesTo | undefined;
  /** Where it begins, when it is rebuilt too. `"start"` unless said otherwise. */
  readonly from?: StartFrom | undefined;
  /** The one tenant it follows. All, unless said otherwise. */
  readonly tenantId?: string | undefined;
  /**
   * When an event has failed: `halt` (the default) = stay before it, and after the last try stop until somebody resumes it;
   * `park` = its stream waits, others flow; `skip` = after the last try go on without it.
   */
  readonly onFailure?: OnFailure | undefined;
  readonly retry?: Retry | undefined;
}

/** A projection in SQL: its events never leave the server. */
export interface SqlProjectionDefinition extends CommonDefinition {
  /** `schema.function`, which takes a `daybook.event`, or a `daybook.event[]` to be given many at once. */
  readonly apply: string;
  /** `async` (the default): it follows the log. `inline`: appends apply their events themselves. */
  readonly mode?: "async" | "inline" | undefined;
  /** Inline: appends that it is given take turns. */
  readonly serialize?: boolean | undefined;
  readonly handle?: undefined;
  readonly handleBatch?: undefined;
  readonly target?: undefined;
}

interface CodeDefinition extends CommonDefinition {
  readonly apply?: undefined;
  readonly mode?: undefined;
  readonly serialize?: undefined;
  /**
   * Another database in which its tables are, with its checkpoint: a pool. What is written there is written once, too.
   * Its failures halt it (`onFailure: "halt"`).
   */
  readonly target?: DbLike | undefined;
  /** Events in a transaction at most. 500 unless said otherwise. */
  readonly maxBatch?: number | undefined;
}

/** A projection in TypeScript that is given events one by one. */
export interface EachProjectionDefinition<D> extends CodeDefinition {
  /** Called for each event, in order of their positions. */
  handle(event: StoredEvent<D>, context: ProjectionContext): Promise<void> | void;
  readonly handleBatch?: undefined;
  readonly batchByTenant?: undefined;
}

/** A projection in TypeScript that is given many events at once. */
export interface BatchProjectionDefinition<D> extends CodeDefinition {
  /** Called with at least one event, in order. */
  handleBatch(events: readonly StoredEvent<D>[], context: ProjectionContext): Promise<void> | void;
  /** Whether batches are split by tenant (the default), with `tx` narrowed to it. */
  readonly batchByTenant?: boolean | undefined;
  readonly handle?: undefined;
}

/** A projection as it is defined. */
export type ProjectionDefinition<D = JsonObject> =
  | SqlProjectionDefinition
  | EachProjectionDefinition<D>
  | BatchProjectionDefinition<D>;

/** A projection, checked: what workers are given. `defineProjection` makes it. */
export interface Projection {
  readonly name: string;
  readonly tables: Readonly<Record<string, string>>;
  readonly setup: string | null;
  readonly schema: string;
  readonly revision: number;
  /** Null = all. */
  readonly types: readonly string[] | null;
  /** Null = all. */
  readonly categories: readonly string[] | null;
  readonly from: StartFrom;
  /** Null = all. */
  readonly tenantId: string | null;
  readonly onFailure: OnFailure;
  readonly retry: { readonly attempts: number; readonly baseDelay: number; readonly maxDelay: number };
  /** Its apply function; null = code in TypeScript. */
  readonly apply: string | null;
  readonly mode: "async" | "inline";
  readonly serialize: boolean;
  readonly maxBatch: number;
  readonly batchByTenant: boolean;
  /** The database of its tables; null = that of the store. */
  readonly target: Db | null;
  readonly handle: ((event: StoredEvent, context: ProjectionContext) => Promise<void> | void) | undefined;
  readonly handleBatch:
    | ((events: readonly StoredEvent[], context: ProjectionContext) => Promise<void> | void)
    | undefined;
}
