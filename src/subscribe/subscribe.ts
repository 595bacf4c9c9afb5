import { type DbLike, toDb } from "../db.ts";
import { toCount } from "../store/arguments.ts";
import type { JsonObject } from "../store/json.ts";
import type { StoredEvent } from "../store/types.ts";
import type { OnEvent } from "../waking/facts.ts";
import { createPause } from "../waking/pause.ts";
import { shareWatch } from "../waking/share-watch.ts";
import { createReader, type ReaderInput } from "./reader.ts";
import { untilRead } from "./until-read.ts";

/** What is followed, and how. */
export interface SubscribeInput extends ReaderInput {
  /** Events asked for at once; at most two such pages are in memory. 500 unless said otherwise. */
  readonly pageSize?: number | undefined;
  /** Ends the iteration with its reason. */
  readonly signal?: AbortSignal | undefined;
  /** The same database past a pooler in transaction mode, for the one connection of the process that listens. */
  readonly directUrl?: string | undefined;
  /** Milliseconds after which it looks though nobody has woken it; 30,000 unless said otherwise. */
  readonly safetyPoll?: number | undefined;
  /** Told of technical facts: connections lost, and there again. */
  readonly onEvent?: OnEvent | undefined;
}

/**
 * The log, or one stream, from a place on and without end: what there is, then what comes, as it comes. When the connection
 * is lost it waits, connects again, and goes on behind the last event it has given: none is left out, none comes twice.
 * Leaving the loop ends it.
 *
 * All subscriptions of a process to a database share one connection that listens, as workers do. A pool of pg is what it is
 * made for; over anything else (slonik, PGlite) it asks again and again, and with `directUrl` it need not.
 *
 * @throws CheckpointAheadError where the log ends before the place it has come to: it was set back
 * @throws InvalidArgumentError, TenantNotGrantedError
 */
export async function* subscribe<D = JsonObject>(
  db: DbLike,
  input: SubscribeInput = {},
): AsyncGenerator<StoredEvent<D>, void, undefined> {
  const { pageSize = 500, signal, onEvent } = input;
  signal?.throwIfAborted();
  // a page that is still asked for when the loop is left
  const left = new AbortController();
  const untilLeft = signal === undefined ? left.signal : AbortSignal.any([signal, left.signal]);
  const reader = createReader(toDb(db), input, toCount(pageSize, "pageSize"));
  const shared = shareWatch(db, input);
  const bell = createPause();
  const unfollow = shared.watch.follow({ onHorizon: bell.end, onNudge: bell.end, onEvent });
  const onAbort = () => bell.end();
  signal?.addEventListener("abort", onAbort);
  const next = () => {
    const page = untilRead(() => reader.next(shared.watch.horizon), bell, untilLeft, onEvent);
    // if it fails, that is thrown when its turn comes
    page.catch(() => undefined);
    return page;
  };
  try {
    let coming = next();
    for (;;) {
      const { events, isLast } = await coming;
      // one page ahead, while there are more
      if (!isLast) coming = next();
      for (const event of events) {
        signal?.throwIfAborted();
        // data is what the caller says it is, as wherever events are read
        yield event as StoredEvent<D>;
      }
      if (isLast) {
        while (!reader.mayHaveMore(shared.watch.horizon)) {
          signal?.throwIfAborted();
          await bell.wait(60_000);
        }
        signal?.throwIfAborted();
        coming = next();
      }
    }
  } finally {
    signal?.removeEventListener("abort", onAbort);
    left.abort();
    bell.end();
    unfollow();
    await shared.release();
  }
}
