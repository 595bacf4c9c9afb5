import { isPgPool } from "../adapters/pg.ts";
import { sourceOf } from "../adapters/sources.ts";
import type { Db } from "../db.ts";
import { toOrdinal } from "./arguments.ts";
import type { PageSource } from "./iterate-pages.ts";
import { type ReadAllInput, readAll } from "./read-all.ts";
import type { StoredEvent } from "./types.ts";

/** A page of the log that has been asked for. */
interface Asked {
  readonly after: bigint;
  readonly events: Promise<readonly StoredEvent[]>;
}

/**
 * The log in pages, each behind the last event of the one before.
 *
 * Through a pool, and while nearly every position is an event that is read, one page more is asked for ahead, so that
 * the database is at work while this process takes in what has come. Such a page begins before it is known where the one
 * before ends: `pageSize` positions behind the beginning of that one, which ends there or beyond, as each event has a
 * position of its own. So nothing is skipped, and what both have is left out of the second. Where the one before turns
 * out not to be full, the horizon lay there, and what comes later is left alone.
 */
export function logPages(db: Db, input: ReadAllInput, pageSize: number): PageSource<StoredEvent> {
  const mayRunAhead = isPgPool(sourceOf(db));
  let position = toOrdinal(input.afterPosition ?? 0n, "afterPosition");
  let isDense = false;
  let ahead: Asked | undefined;

  function ask(after: bigint): Asked {
    const events = readAll(db, { ...input, afterPosition: after, maxCount: pageSize });
    // if it fails, that is thrown when its turn comes
    events.catch(() => undefined);
    return { after, events };
  }

  return {
    async next() {
      const current = ahead ?? ask(position);
      ahead = isDense ? ask(current.after + BigInt(pageSize)) : undefined;
      const events = await current.events;
      const isLast = events.length < pageSize;
      const end = events.at(-1)?.position ?? position;
      isDense = mayRunAhead && !isLast && events.length > 0.8 * Number(end - current.after);
      const items = current.after < position ? events.filter((event) => event.position > position) : events;
      if (end > position) position = end;
      return { items, isLast };
    },
    async settle() {
      await ahead?.events.catch(() => undefined);
    },
  };
}
