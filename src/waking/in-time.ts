import { setTimeout as sleep } from "node:timers/promises";
import { ConnectionLostError } from "../retriable.ts";

/**
 * Waits for an answer of the database for so many milliseconds.
 *
 * @throws ConnectionLostError where there is none; what comes later is nobody's
 */
export async function inTime<T>(work: Promise<T>, milliseconds: number): Promise<T> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new ConnectionLostError("the database gave no answer in time")), milliseconds);
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
    work.catch(() => undefined);
  }
}

/** Whether work has ended within so many milliseconds, well or not, and before somebody has lost patience. */
export async function endsWithin(
  milliseconds: number,
  work: Promise<unknown>,
  impatience?: Promise<unknown>,
): Promise<boolean> {
  const timer = new AbortController();
  const late = sleep(milliseconds, false, { signal: timer.signal }).catch(() => false);
  const done = work.then(
    () => true,
    () => true,
  );
  try {
    return await Promise.race([done, late, ...(impatience ? [impatience.then(() => false)] : [])]);
  } finally {
    timer.abort();
  }
}
