import type { Db } from "../db.ts";

/** Handlers and projections follow the log, routes the outbox. */
export type ConsumerKind = "handler" | "projection" | "route";

/** A shard of a consumer, as a drain runs it. */
export interface ShardOf {
  readonly kind: ConsumerKind;
  readonly name: string;
  /** From 0. */
  readonly shard: number;
  readonly shardCount: number;
}

/** What the drain loop has to know of an event or of a message. */
export interface MessageFacts {
  readonly position: bigint;
  readonly tenantId: string;
  /** What order is kept for. */
  readonly streamId: string;
  readonly id: string;
  readonly type: string;
}

/** How messages are handled. */
export interface PerformContext {
  /** Which try of the first message this is, from 1; the others are new. */
  readonly attempt: number;
  /** Moment (of `performance.now()`) after which no further message is begun. */
  readonly deadline: number;
  readonly signal: AbortSignal;
  /** Narrows the transaction to a tenant; null = to none. */
  narrow(tenantId: string | null): Promise<void>;
  /** A call has narrowed it otherwise by a statement of its own: the next `narrow` says it anew. */
  onMayHaveSet(): void;
}

/** A message that could not be handled although the transaction can go on: its effect was outside the database. */
export interface Refusal {
  readonly index: number;
  readonly error: unknown;
  /** Milliseconds that the other side asked to be left alone for. */
  readonly retryAfter?: number | undefined;
  /** The other side was not there to take it: that is no failed try of the message. */
  readonly unavailable?: boolean | undefined;
}

/** What came of handling messages. */
export interface Performed {
  /** So many from the first on are done with: handled, refused, or held behind one that was refused. */
  readonly done: number;
  /** So many were handled. */
  readonly taken: number;
  /** The first message of each stream that was refused, of those done with. */
  readonly refusals: readonly Refusal[];
  /** Why nothing more can be sent now, whatever the message: it is no failure of the next one. */
  readonly away?: Omit<Refusal, "index"> | undefined;
}

/** What a transaction takes at most. */
export interface HoldInput {
  readonly limit: number;
  /** How far the log may be read; undefined = to be found out. */
  readonly horizon: bigint | undefined;
}

/** A stretch of messages that this transaction alone may handle. */
export interface Hold<M> {
  readonly messages: readonly M[];
  /** Failed tries of the first of them. */
  readonly attempts: number;
  /** There are no more behind them now. */
  readonly isLast: boolean;
  readonly onFailure: "halt" | "park" | "skip";
  /** Whether they are of a parked stream. */
  readonly isParked: boolean;
  /** Position from which this transaction moves the consumer (of a parked stream: its first message). */
  readonly position: bigint;
  /**
   * Says that all up to this message is done, or, without one, all there was.
   *
   * @returns the tenant that the transaction was narrowed to; the empty text or null = to none
   * @throws StaleClaimError where somebody else has moved it: nothing of this transaction may be committed
   */
  finish(tx: Db, through?: M): Promise<string | null>;
  /**
   * Says that a message failed.
   *
   * @param position where the consumer stands, unless it is where it stood at the claim
   */
  fail(db: Db, failure: FailedMessage<M>, position?: bigint): Promise<FailOutcome>;
  /** Has the whole shard wait, or this parked stream, because nothing can be sent now; `message` is the first that was not. */
  postpone(tx: Db, away: FailedMessage<M>, position?: bigint): Promise<FailOutcome>;
}

/** A message and why it failed. */
export interface FailedMessage<M> {
  readonly message: M;
  readonly error: unknown;
  readonly retryAfter?: number | undefined;
  /** See `Refusal`. */
  readonly unavailable?: boolean | undefined;
}

/**
 * What a failure leads to. `retry`: again, after a while; `parked`: its stream waits, others flow; `halted`: the consumer
 * waits for a person; `postponed`: all of the shard, after a while; `skipped`: a dead letter, the consumer goes on; `dead`:
 * its stream waits for a person; `stale`: somebody else runs the consumer, and nothing was written.
 */
export type FailOutcome = "retry" | "parked" | "halted" | "skipped" | "dead" | "postponed" | "stale";

/** Where messages come from and what is done with them. */
export interface Source<M> {
  readonly kind: ConsumerKind;
  /** Whether what `perform` does is rolled back with the transaction. */
  readonly isTransactional: boolean;
  factsOf(message: M): MessageFacts;
  /** Messages behind a position, up to the horizon, that are not of parked streams. */
  read(tx: Db, of: ShardOf, range: { after: bigint; horizon: bigint; maxCount: number }): Promise<M[]>;
  /** Messages of a parked stream. */
  readParked(tx: Db, of: ShardOf, range: ParkedRange): Promise<M[]>;
  /**
   * Handles messages in order.
   *
   * @throws EffectError where what was done is to be rolled back
   */
  perform(tx: Db, messages: readonly M[], context: PerformContext): Promise<Performed>;
}

/** Messages of a parked stream from its first on, as far as the consumer has come. */
export interface ParkedRange {
  readonly tenantId: string;
  readonly streamId: string;
  readonly from: bigint;
  readonly through: bigint;
  readonly maxCount: number;
}

/** Handling failed; the transaction is to be rolled back. */
export class EffectError extends Error {
  override readonly name = "EffectError";
  /** Place of the message to blame; undefined where it is not known which. */
  readonly index: number | undefined;

  constructor(index: number | undefined, cause: unknown) {
    super("handling failed", { cause });
    this.index = index;
  }
}
