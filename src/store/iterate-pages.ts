/**
 * Items page by page: while a page is being consumed the next one is on its way, and no more than that, so memory is
 * bounded by two pages however slow the consumer is. Ends with the first page that is not full.
 *
 * @param load gives the page behind the last item of the one before; undefined = the first page
 * @param signal ends the iteration with its reason
 */
export async function* iteratePages<T>(
  load: (last: T | undefined) => Promise<readonly T[]>,
  pageSize: number,
  signal?: AbortSignal | undefined,
): AsyncGenerator<T, void, undefined> {
  signal?.throwIfAborted();
  let coming: Promise<readonly T[]> | undefined = load(undefined);
  try {
    while (coming) {
      const page: readonly T[] = await abortable(coming, signal);
      coming = page.length < pageSize ? undefined : load(page.at(-1));
      // if it fails, that is thrown when its turn comes
      coming?.catch(() => undefined);
      for (const item of page) {
        signal?.throwIfAborted();
        yield item;
      }
    }
  } finally {
    // nothing is under way any more when the loop is left; `db` may be a transaction about to end
    if (!signal?.aborted) await coming?.catch(() => undefined);
  }
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
