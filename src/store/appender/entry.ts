import type { AppendInput, AppendResult } from "../types.ts";
import { uuidV7 } from "../uuid-v7.ts";
import { toWireAppend, type WireAppend } from "../wire-append.ts";

/** A call of an appender: what it appends and whom it owes an answer. */
export interface Entry {
  readonly append: WireAppend;
  /** Takes any version and has no key: may share a batch with others of its stream. */
  readonly isPlain: boolean;
  /** Done twice it is written once. */
  readonly isRepeatable: boolean;
  readonly signal: AbortSignal | undefined;
  resolve(result: AppendResult): void;
  reject(error: unknown): void;
  /** It has left the queue to be appended on its own. */
  isAlone: boolean;
  /** Since when it is tried again: its stream was held by somebody else, or its outcome was lost (performance.now). */
  since: number | undefined;
  /** How often its outcome was lost. */
  losses: number;
}

/** Checks a call and makes an entry of it, and the promise of its outcome. */
export function makeEntry(
  input: AppendInput,
  signal: AbortSignal | undefined,
): { readonly entry: Entry; readonly outcome: Promise<AppendResult> } {
  const { promise, resolve, reject } = Promise.withResolvers<AppendResult>();
  const append = withEventIds(toWireAppend(input));
  const isExact = append.expectedVersion !== null && append.expectedVersion >= 0n;
  const entry: Entry = {
    append,
    isPlain: append.expectedVersion === null && append.idempotencyKey === null,
    isRepeatable: isExact || append.idempotencyKey !== null,
    signal,
    resolve,
    reject,
    isAlone: false,
    since: undefined,
    losses: 0,
  };
  return { entry, outcome: promise };
}

/** With ids of its own, an append at an exact version can be repeated: the second gives the result of the first. */
function withEventIds(append: WireAppend): WireAppend {
  if (append.expectedVersion === null || append.expectedVersion < 0n) return append;
  return { ...append, events: append.events.map((event) => ({ ...event, eventId: event.eventId ?? uuidV7() })) };
}
