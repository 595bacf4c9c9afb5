/** One way to do the work; `run` does it once and says how many units it did. It runs at least once a round. */
export interface Variant {
  readonly name: string;
  /** Workers that call `run` at the same time. */
  readonly clients: number;
  run(worker: number): Promise<number>;
}

/** Units per second in each round, and how long single runs took. */
export interface Measured {
  readonly name: string;
  readonly perSecond: readonly number[];
  /** Milliseconds of every run, all rounds together, ascending. */
  readonly latencies: readonly number[];
}

/**
 * Lets the variants take turns, round by round, so that a machine that slows down slows them all. The first round
 * warms up and does not count.
 */
export async function measure(variants: readonly Variant[], rounds: number, seconds: number): Promise<Measured[]> {
  const results = variants.map((variant) => ({
    name: variant.name,
    perSecond: [] as number[],
    latencies: [] as number[],
  }));
  for (let round = -1; round < rounds; round++) {
    for (const [index, variant] of variants.entries()) {
      const { units, elapsed, latencies } = await runFor(variant, round < 0 ? Math.min(seconds, 1) : seconds);
      const result = results[index];
      if (round < 0 || !result) continue;
      result.perSecond.push(units / elapsed);
      for (const latency of latencies) result.latencies.push(latency);
    }
  }
  for (const result of results) result.latencies.sort((a, b) => a - b);
  return results;
}

async function runFor(variant: Variant, seconds: number) {
  const latencies: number[] = [];
  let units = 0;
  const started = performance.now();
  const end = started + seconds * 1000;
  const work = async (worker: number) => {
    let now = performance.now();
    do {
      const done = await variant.run(worker);
      units += done;
      const then = performance.now();
      latencies.push(then - now);
      now = then;
    } while (now < end);
  };
  await Promise.all(Array.from({ length: variant.clients }, (_, worker) => work(worker)));
  return { units, elapsed: (performance.now() - started) / 1000, latencies };
}

/** The middle value. */
export function median(values: readonly number[]): number {
  return quantile(
    [...values].sort((a, b) => a - b),
    0.5,
  );
}

/** The value below which the share `q` of ascending values lies. */
export function quantile(ascending: readonly number[], q: number): number {
  return ascending[Math.min(ascending.length - 1, Math.floor(q * ascending.length))] ?? Number.NaN;
}

/** Median over the rounds of a's figure divided by b's of the same round. */
export function ratio(a: Measured, b: Measured): number {
  return median(a.perSecond.map((value, round) => value / (b.perSecond[round] ?? Number.NaN)));
}
