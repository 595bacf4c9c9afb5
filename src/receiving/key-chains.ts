/** Runs work in order for each key, so many keys at the same time. */
export class KeyChains {
  readonly #concurrency: number;
  /** Work that waits, by key; a key is here while one of its pieces runs. */
  readonly #keys = new Map<string, (() => Promise<void>)[]>();
  readonly #ready: string[] = [];
  #running = 0;
  #idle = Promise.withResolvers<void>();

  constructor(concurrency: number) {
    this.#concurrency = concurrency;
    this.#idle.resolve();
  }

  /** Adds work behind what there is of its key. It must not reject. */
  add(key: string, work: () => Promise<void>): void {
    const waiting = this.#keys.get(key);
    if (waiting) {
      waiting.push(work);
      return;
    }
    if (this.#keys.size === 0) this.#idle = Promise.withResolvers();
    this.#keys.set(key, [work]);
    this.#ready.push(key);
    this.#go();
  }

  /** Resolves when nothing runs and nothing waits. */
  idle(): Promise<void> {
    return this.#idle.promise;
  }

  #go(): void {
    while (this.#running < this.#concurrency) {
      const key = this.#ready.shift();
      if (key === undefined) return;
      const work = this.#keys.get(key)?.shift();
      if (!work) continue;
      this.#running += 1;
      work().finally(() => this.#ended(key));
    }
  }

  #ended(key: string): void {
    this.#running -= 1;
    if (this.#keys.get(key)?.length) this.#ready.push(key);
    else this.#keys.delete(key);
    if (this.#keys.size === 0) this.#idle.resolve();
    this.#go();
  }
}
