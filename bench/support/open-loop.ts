import { setTimeout as delay } from "node:timers/promises";

/** Work at a fixed pace, whatever it takes. */
export interface OpenLoop {
  readonly perSecond: number;
  readonly seconds: number;
  run(): Promise<unknown>;
  /** Told of each: when it was due, and when it was done. */
  onDone?(due: number, done: number): void;
}

/**
 * Starts work at a fixed pace and waits for the end of all of it. How long each took is counted from the moment it was
 * due, so a pause that keeps others from starting counts for them too (no coordinated omission).
 *
 * @returns milliseconds, ascending
 */
export async function openLoop({ perSecond, seconds, run, onDone }: OpenLoop): Promise<number[]> {
  const times: number[] = [];
  const under: Promise<unknown>[] = [];
  const total = perSecond * seconds;
  const began = performance.now();
  for (let next = 0; next < total; ) {
    const due = Math.min(total, Math.floor(((performance.now() - began) / 1000) * perSecond));
    for (; next < due; next += 1) {
      const since = began + (next / perSecond) * 1000;
      under.push(
        run().then(() => {
          const now = performance.now();
          times.push(now - since);
          onDone?.(since, now);
        }),
      );
    }
    await delay(1);
  }
  await Promise.all(under);
  return times.sort((a, b) => a - b);
}
