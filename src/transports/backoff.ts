/** Delays between tries to reach something, growing from one to the next until one succeeds. */
export class Backoff {
  readonly #first: number;
  readonly #longest: number;
  #failures = 0;

  /** @param first the first delay, milliseconds @param longest the longest */
  constructor(first = 100, longest = 30_000) {
    this.#first = first;
    this.#longest = longest;
  }

  /** It failed again: how long to wait, give or take a fifth. */
  next(): number {
    const delay = Math.min(this.#longest, this.#first * 2 ** Math.min(this.#failures, 30));
    this.#failures += 1;
    return delay * (0.8 + Math.random() * 0.4);
  }

  reset(): void {
    this.#failures = 0;
  }
}
