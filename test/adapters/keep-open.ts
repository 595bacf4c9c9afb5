import type { Test } from "tap";

/** Opens a transaction as its driver does, around a callback, and keeps it open until the test ends. */
export async function keepOpen<T>(t: Test, open: (work: (tx: T) => Promise<void>) => Promise<void>): Promise<T> {
  const opened = Promise.withResolvers<T>();
  const ended = Promise.withResolvers<void>();
  const whole = open(async (tx) => {
    opened.resolve(tx);
    await ended.promise;
  });
  whole.catch(opened.reject);
  t.teardown(async () => {
    ended.resolve();
    await whole;
  });
  return opened.promise;
}
