import { type DbLike, toDb } from "../db.ts";
import { toCount } from "./arguments.ts";
import { iteratePages } from "./iterate-pages.ts";
import { logPages } from "./log-pages.ts";
import type { ReadAllInput } from "./read-all.ts";
import type { StoredEvent } from "./types.ts";

/**
 * The log up to the horizon, page by page; memory is bounded by three pages. It ends there: to follow the log, begin
 * again behind the last position given. Uses up to two connections of a pool of pg at a time, one of anything else.
 *
 * @param input.pageSize default 1000, at most 100,000
 * @param input.signal ends the iteration with its reason
 */
export function iterateAll(
  db: DbLike,
  input: ReadAllInput & {
    readonly pageSize?: number | undefined;
    readonly signal?: AbortSignal | undefined;
  } = {},
): AsyncGenerator<StoredEvent, void, undefined> {
  const { pageSize = 1000, signal, ...read } = input;
  return iteratePages(logPages(toDb(db), read, toCount(pageSize, "pageSize")), signal);
}
