import type { BatchOutcome } from "../append-batch.ts";
import type { Entry } from "./entry.ts";
import { AppendOutcomeUnknownError, StreamBusyError } from "./errors.ts";
import { failureOf } from "./failure.ts";

/** Answers a call with its outcome in a batch; true if it has to be tried again, alone. */
export function settle(entry: Entry, outcome: BatchOutcome, maxWait: number): boolean {
  switch (outcome.status) {
    case "busy":
      return waitOn(entry, maxWait);
    case "failed":
      entry.reject(outcome.error);
      return false;
    default: {
      const { streamVersion, firstPosition, lastPosition, duplicate } = outcome;
      entry.resolve({ streamVersion, firstPosition, lastPosition, duplicate });
      return false;
    }
  }
}

/**
 * Answers a call whose statement failed; true if it has to be tried again, alone.
 *
 * @param wasAlone the statement was its own: what the server says is said of this entry
 */
export function settleFailed(entry: Entry, error: unknown, wasAlone: boolean, maxWait: number): boolean {
  const failure = failureOf(error);
  if (failure === "locked") return waitOn(entry, maxWait, error);
  if (failure === "unknown" || (failure === "down" && entry.losses > 0)) return repeat(entry, error, maxWait);
  if (failure === "refused" && !wasAlone) {
    entry.isAlone = true;
    return !isTakenBack(entry);
  }
  entry.reject(error);
  return false;
}

/** How long to wait before an entry whose outcome was lost is repeated, in milliseconds. */
export function pauseOf(entry: Entry): number {
  return entry.losses === 0 ? 0 : Math.min(1000, 25 * 2 ** entry.losses);
}

function waitOn(entry: Entry, maxWait: number, cause?: unknown): boolean {
  const now = performance.now();
  entry.since ??= now;
  entry.isAlone = true;
  if (isTakenBack(entry)) return false;
  if (now - entry.since < maxWait) return true;
  entry.reject(entry.losses > 0 ? unknownOutcome(entry, cause) : busy(entry, now - entry.since, cause));
  return false;
}

function repeat(entry: Entry, cause: unknown, maxWait: number): boolean {
  const now = performance.now();
  if (entry.losses === 0) entry.since = now;
  entry.losses += 1;
  entry.isAlone = true;
  if (entry.isRepeatable && !entry.signal?.aborted && now - (entry.since ?? now) < maxWait) return true;
  entry.reject(unknownOutcome(entry, cause));
  return false;
}

function isTakenBack(entry: Entry): boolean {
  if (!entry.signal?.aborted) return false;
  entry.reject(entry.losses > 0 ? unknownOutcome(entry, entry.signal.reason) : entry.signal.reason);
  return true;
}

function unknownOutcome(entry: Entry, cause: unknown): AppendOutcomeUnknownError {
  const { streamId } = entry.append;
  return new AppendOutcomeUnknownError(`the connection was lost while events were appended to stream ${streamId}`, {
    detail: { stream_id: streamId },
    hint: "Read the stream to see whether they were written; with an idempotency key or an exact expected version an append is repeated by itself.",
    cause,
  });
}

function busy(entry: Entry, waited: number, cause: unknown): StreamBusyError {
  const { streamId } = entry.append;
  return new StreamBusyError(`stream ${streamId} was held by another transaction for ${Math.round(waited)} ms`, {
    detail: { stream_id: streamId, waited_ms: Math.round(waited) },
    hint: "If it is a transaction of yours that awaits this call, append through that transaction instead.",
    cause,
  });
}
