/** A wait that others can end. */
export interface Pause {
  /**
   * Waits so many milliseconds, or until it is ended; not at all, if that happened since the last wait. True if it was
   * ended.
   */
  wait(milliseconds: number): Promise<boolean>;
  /** Ends the wait, or the next one. */
  end(): void;
  /** Forgets an end that nobody has waited for. */
  clear(): void;
}

export function createPause(): Pause {
  let isEnded = false;
  let endWait: (() => void) | undefined;
  return {
    async wait(milliseconds) {
      if (!isEnded) {
        await new Promise<void>((resolve) => {
          const timer = setTimeout(resolve, Math.max(milliseconds, 0));
          endWait = () => {
            clearTimeout(timer);
            resolve();
          };
        });
        endWait = undefined;
      }
      const wasEnded = isEnded;
      isEnded = false;
      return wasEnded;
    },
    end() {
      isEnded = true;
      endWait?.();
    },
    clear() {
      isEnded = false;
    },
  };
}

/** Delays that grow from one to the next: for polling, and for connecting again. */
export interface Backoff {
  /** The next delay, in milliseconds. */
  next(): number;
  reset(): void;
}

/**
 * @param first the first delay, in milliseconds; each is twice the one before
 * @param most the longest
 * @param jitter the share by which a delay may be shorter or longer, so that processes that failed together do not come
 * back together; 0 unless said otherwise
 */
export function createBackoff(first: number, most: number, jitter = 0): Backoff {
  let delay = first;
  return {
    next() {
      const current = delay;
      delay = Math.min(delay * 2, most);
      return current * (1 + jitter * (Math.random() * 2 - 1));
    },
    reset() {
      delay = first;
    },
  };
}
