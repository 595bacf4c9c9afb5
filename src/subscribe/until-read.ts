import { isConnectionLoss } from "../retriable.ts";
import { type OnEvent, safely } from "../waking/facts.ts";
import { createBackoff, type Pause } from "../waking/pause.ts";

/** Starting, shutting down, or out of connections: all of that passes. */
const passing = ["57P03", "53300", "53400", "ENOTFOUND", "EAI_AGAIN", "EHOSTUNREACH", "ENETUNREACH", "ECONNABORTED"];

/** Whether the database may be there again a little later. */
export function isAway(error: unknown): boolean {
  if (isConnectionLoss(error)) return true;
  if (error instanceof AggregateError) return error.errors.some(isAway);
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  if (typeof code === "string" && passing.includes(code)) return true;
  // a pool of pg has no code for this
  return error instanceof Error && code === undefined && /timeout|terminated/i.test(error.message);
}

/** Reads, again and again while the database is away. */
export async function untilRead<T>(
  read: () => Promise<T>,
  bell: Pause,
  signal: AbortSignal | undefined,
  onEvent: OnEvent | undefined,
): Promise<T> {
  const delays = createBackoff(50, 2000, 0.2);
  for (;;) {
    signal?.throwIfAborted();
    try {
      return await read();
    } catch (error) {
      signal?.throwIfAborted();
      if (!isAway(error)) throw error;
      safely(onEvent)({ type: "read-failed", level: "warning", error });
      const until = performance.now() + delays.next();
      while (performance.now() < until && !signal?.aborted) await bell.wait(until - performance.now());
    }
  }
}
