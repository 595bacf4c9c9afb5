import { setTimeout as sleep } from "node:timers/promises";
import type { Db } from "../db.ts";
import { isConnectionLoss, isRetriable } from "../retriable.ts";
import { Backoff } from "../transports/backoff.ts";
import { toError } from "../transports/errors.ts";
import { type InboundMessage, identityOf } from "./inbound-message.ts";
import { processOnce } from "./process-once.ts";

/** What a consumer's function is given besides the message. */
export interface ReceiveContext {
  /** The transaction: what is written through it happens once. */
  readonly tx: Db;
  /** Which try this is, from 1, since the message was delivered. */
  readonly attempt: number;
  /** Aborted when the consumer is stopped or has lost the message. */
  readonly signal: AbortSignal;
}

/** What every consumer takes, whatever the broker. */
export interface ReceiveOptions {
  /** The consumer's name: each consumer processes a message once. */
  readonly consumer: string;
  /** Processes a message. What it throws is tried again. */
  readonly handle: (message: InboundMessage, ctx: ReceiveContext) => Promise<unknown>;
  /**
   * Whose tenant the work is done for: `session` (the default): the database session's; `message`: the transaction is
   * narrowed to the tenant the message was sent for.
   */
  readonly tenant?: "session" | "message" | undefined;
  /** Tries of a message before it is a dead letter; 5. */
  readonly attempts?: number | undefined;
  /** Delay before the second try, in milliseconds; it doubles with each; 200. */
  readonly baseDelay?: number | undefined;
  /** The longest delay between two tries, in milliseconds; 30,000. */
  readonly maxDelay?: number | undefined;
  /** Told of every failure: of a message (tried again, or a dead letter), or of the connection (null). */
  readonly onError?: ((error: Error, message: InboundMessage | null) => void) | undefined;
}

/** What became of a delivery: `repeated` had been processed before; `stopped` was given up, and comes again. */
export type Processed = "processed" | "repeated" | "dead" | "stopped";

/** How messages are processed. */
export interface ProcessOptions extends Pick<ReceiveOptions, "consumer" | "handle"> {
  readonly db: Db;
  readonly tenant: "session" | "message";
  readonly attempts: number;
  readonly baseDelay: number;
  readonly maxDelay: number;
  readonly onError: (error: Error, message: InboundMessage | null) => void;
}

/**
 * Processes a delivery, with tries: until its effects have been committed (or were before), its tries are used up, or the
 * signal. While the database is away it waits: that uses up no try.
 */
export async function processMessage(
  message: InboundMessage,
  options: ProcessOptions,
  signal: AbortSignal,
): Promise<Processed> {
  const { attempts, baseDelay, maxDelay, handle, onError } = options;
  const backoff = new Backoff(baseDelay, maxDelay);
  for (let attempt = 1; !signal.aborted; ) {
    let begun = false;
    const work = (tx: Db) => {
      begun = true;
      return handle(message, { tx, attempt, signal });
    };
    try {
      return (await processInTransaction(message, options, work)) ? "processed" : "repeated";
    } catch (thrown) {
      const error = toError(thrown);
      onError(error, message);
      // the message is not at fault for a database that cannot be reached, or refuses the consumer
      if (begun && !isConnectionLoss(error) && !isRetriable(error)) attempt += 1;
      if (attempt > attempts) return "dead";
      await sleep(backoff.next(), undefined, { signal }).catch(() => undefined);
    }
  }
  return "stopped";
}

function processInTransaction(
  message: InboundMessage,
  { db, consumer, tenant }: ProcessOptions,
  work: (tx: Db) => Promise<unknown>,
): Promise<boolean> {
  if (tenant === "session" || message.tenantId === null) return processOnce(db, consumer, identityOf(message), work);
  return db.transaction(async (tx) => {
    await tx.query("select set_config('daybook.tenant', $1, true)", [message.tenantId]);
    return processOnce(tx, consumer, identityOf(message), work);
  });
}
