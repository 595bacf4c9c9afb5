/** A page, and whether there is none behind it. */
export interface Page<T> {
  readonly items: readonly T[];
  readonly isLast: boolean;
}

/** Gives the pages one after the other; it is asked for a page when the one before has come. */
export interface PageSource<T> {
  next(): Promise<Page<T>>;
  /** Waits until nothing that was begun beyond the pages asked for is under way. */
  settle?(): Promise<void>;
}

/**
 * Items page by page: while a page is being consumed the next one is on its way, and no more than that (unless the
 * source itself runs ahead), so memory is bounded however slow the consumer is.
 *
 * @param signal ends the iteration with its reason
 */
export async function* iteratePages<T>(
  source: PageSource<T>,
  signal?: AbortSignal | undefined,
): AsyncGenerator<T, void, undefined> {
  signal?.throwIfAborted();
  let coming: Promise<Page<T>> | undefined = source.next();
  try {
    while (coming) {
      const { items, isLast }: Page<T> = await abortable(coming, signal);
      coming = isLast ? undefined : source.next();
      // if it fails, that is thrown when its turn comes
      coming?.catch(() => undefined);
      for (const item of items) {
        signal?.throwIfAborted();
        yield item;
      }
    }
  } finally {
    // nothing is under way any more when the loop is left; `db` may be a transaction about to end
    if (!signal?.aborted) {
      await coming?.catch(() => undefined);
      await source.settle?.();
    }
  }
}

/**
 * Pages of so many items, each behind the last item of the one before; one that is not full is the last.
 *
 * @param load gives the items behind this one; undefined = the first
 */
export function pagesBehind<T>(size: number, load: (last: T | undefined) => Promise<readonly T[]>): PageSource<T> {
  let last: T | undefined;
  return {
    async next() {
      const items = await load(last);
      last = items.at(-1);
      return { items, isLast: items.length < size };
    },
  };
}

async function abortable<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (!signal) return promise;
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const onAbort = () => reject(signal.reason);
  signal.addEventListener("abort", onAbort, { once: true });
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}
