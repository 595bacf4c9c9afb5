import type { JsonObject } from "../store/json.ts";

/** A message on its way out: an integration event in its public shape. */
export interface OutboundMessage {
  /** Place in the outbox; grows, with gaps. */
  readonly position: bigint;
  readonly tenantId: string;
  /** The route that sends it. */
  readonly route: string;
  /** Identity of the message, the same with every try: receivers tell repeats by it. A UUID. */
  readonly messageId: string;
  /** What order is kept for: the stream of the event, or the key the message was published with. */
  readonly key: string;
  /** Place in the stream; null if it was published without a domain event. */
  readonly version: bigint | null;
  /** Where it goes within the transport: the routing key, the topic. */
  readonly topic: string;
  /** Public name of what happened. */
  readonly type: string;
  /** Public version of the shape of `data`. */
  readonly typeVersion: number;
  readonly data: JsonObject;
  readonly metadata: JsonObject | null;
  readonly correlationId: string | null;
  readonly causationId: string | null;
  readonly occurredAt: Date;
  /** Which try this is, from 1. */
  readonly attempt: number;
}

/** What became of a message. */
export type SendOutcome = Sent | NotSent;

/** The other side has taken responsibility for it. */
export interface Sent {
  readonly ok: true;
}

/** It has not been sent, or nobody knows whether it was (no answer in time): it will be sent again, with the same id. */
export interface NotSent {
  readonly ok: false;
  /** Why; of a message that was held: why the one before it was not sent. */
  readonly error: Error;
  /**
   * True: not tried, because an earlier message of its key was not sent, or the send was aborted before its turn. It is no
   * failure of its own.
   */
  readonly held?: boolean;
  /**
   * True: the other side as a whole cannot be reached, or takes nothing at the moment (broker down, connection refused,
   * 429, 503). The message is not at fault, and uses up no try: all of the route waits or, where later messages of the
   * batch were taken, its stream.
   */
  readonly unavailable?: boolean;
  /** True: the same message will be refused again (a webhook's 4xx). It is still retried as the route says. */
  readonly permanent?: boolean;
  /** The other side asked to be left alone for so long, in milliseconds. */
  readonly retryAfter?: number;
}

/** What a send is given besides the messages. */
export interface SendContext {
  /**
   * Aborted when the caller waits no longer (its budget is spent, or it was told to stop). `send` then returns soon: what
   * has no answer yet is not ok, and nothing more is sent.
   */
  readonly signal: AbortSignal;
}

/**
 * A way out of the database. Every transport promises this (test/support/contracts/transport-contract.ts holds them to it):
 *
 * - there is an outcome for each message, in the order of the messages;
 * - messages of one key (of one tenant) are sent in the order given, the next one only after the one before was taken;
 * - after a message that was not sent, the later ones of its key are held (`held: true`); other keys flow on;
 * - `send` resolves, whatever happens to messages; it rejects only if it cannot work at all (a package that is missing, a
 *   wrong configuration), and then every message counts as not sent;
 * - an answer that comes after the timeout or the abort changes nothing: the message is not ok, and goes out again;
 * - several sends at once do not disturb each other. Order is kept within a send, and between sends that follow each other.
 */
export interface Transport {
  /** The name that routes know it by. */
  readonly name: string;
  /** Sends messages, in order, and says what became of each. */
  send(messages: readonly OutboundMessage[], ctx: SendContext): Promise<readonly SendOutcome[]>;
  /** Lets the sends under way end, then lets go of what it holds. A second call does nothing more; a send after it rejects. */
  close(): Promise<void>;
}
