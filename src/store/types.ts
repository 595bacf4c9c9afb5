import type { JsonObject } from "./json.ts";

/**
 * An event to be appended.
 *
 * Payloads (`data`, `metadata`) are plain objects; json.ts says what becomes of each kind of value. They are `object`
 * here, so that interfaces and type aliases of an application fit; what JSON cannot say is refused when it is appended.
 */
export interface NewEvent<D extends object = object> {
  /** Name of what happened, 1 to 255 characters: `PatientCheckedIn`. */
  readonly type: string;
  /** What happened. */
  readonly data: D;
  /** What the caller says about it: who, from where. Kept as given. */
  readonly metadata?: object | undefined;
  /** A UUID; where there is none, a UUIDv7 is made. */
  readonly eventId?: string | undefined;
  /** Version of the shape of `data`, from 1 (the default). */
  readonly schemaVersion?: number | undefined;
  /** When the application says it happened. Default: when it is recorded. */
  readonly occurredAt?: Date | undefined;
  /** Tags the event can be found and decided by. Stored sorted, each once. */
  readonly tags?: readonly string[] | undefined;
  /** UUID of the logical operation this event belongs to. */
  readonly correlationId?: string | undefined;
  /** UUID of what triggered it: of an event or of a command. */
  readonly causationId?: string | undefined;
}

/** An event as it is read. `D` is the caller's word for the shape of `data`; it is not checked here. */
export interface StoredEvent<D = JsonObject> {
  /** Place in the whole store; grows, with gaps. */
  readonly position: bigint;
  readonly tenantId: string;
  readonly streamId: string;
  /** Place in the stream, from 1, without holes. */
  readonly version: bigint;
  /** The part of the stream's name before the first dash. */
  readonly category: string;
  readonly type: string;
  readonly data: D;
  readonly metadata: JsonObject;
  readonly eventId: string;
  readonly correlationId: string | null;
  readonly causationId: string | null;
  readonly schemaVersion: number;
  readonly tags: readonly string[];
  /** When the application says it happened; milliseconds (the database keeps microseconds). */
  readonly occurredAt: Date;
  /** The database's clock at append; milliseconds (the database keeps microseconds). */
  readonly recordedAt: Date;
}

/**
 * The version a stream is expected at: `"any"` (the default), `"none"` (the stream must not exist; also 0), `"exists"`
 * (it must; also -1), or exactly this one.
 */
export type ExpectedVersion = "any" | "none" | "exists" | bigint | number;

/** What an append did. */
export interface AppendResult {
  /** Version of the stream after it. */
  readonly streamVersion: bigint;
  readonly firstPosition: bigint;
  readonly lastPosition: bigint;
  /** True if these are the results of an earlier append of the same: nothing was written now. */
  readonly duplicate: boolean;
}

/** An append to one stream. */
export interface AppendInput {
  /** `<category>-<id>`, 1 to 255 characters. */
  readonly streamId: string;
  /** One event or several; written all or none, in this order. */
  readonly events: NewEvent | readonly NewEvent[];
  /** Default `"any"`. */
  readonly expectedVersion?: ExpectedVersion | undefined;
  /**
   * The same key, on the same stream, writes once: later appends give the first result (`duplicate: true`). Remembered
   * for the setting `idempotency_retention`; refused with another payload.
   */
  readonly idempotencyKey?: string | undefined;
  /** Default: the tenant the session is narrowed to, or `default`. */
  readonly tenantId?: string | undefined;
}
