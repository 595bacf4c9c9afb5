import { setTimeout as sleep } from "node:timers/promises";
import type { Random } from "../support/random.ts";
import type { Session } from "../support/sessions.ts";

/** How a reader follows the log: reads on from its cursor, and gives what it saw and its next cursor. */
export interface Reader {
  readonly name: string;
  /** Pages in one transaction, or 0 for a transaction a page. */
  readonly pagesInTransaction?: number;
  page(session: Session, cursor: number, random: Random): Promise<{ seen: number[]; next: number }>;
}

function paged(name: string, text: string, count: (random: Random) => number, pagesInTransaction = 0): Reader {
  return {
    name,
    pagesInTransaction,
    page: async (session, cursor, random) => {
      const seen = await session.column<number>(text, [cursor, count(random)]);
      return { seen, next: seen.at(-1) ?? cursor };
    },
  };
}

const ALL = "select position from daybook.read_all($1, $2)";

/** Readers of all kinds; each must see the whole log. */
export const READERS: readonly Reader[] = [
  paged("a reader of small pages", ALL, (random) => random.between(1, 5)),
  paged("a reader of large pages", ALL, () => 1000),
  paged("a reader of types", "select position from daybook.read_all($1, $2, types => '{Tested,Other}')", (random) =>
    random.between(1, 50),
  ),
  paged(
    "a reader of a type",
    "select position from daybook.read_type('Tested', after_position => $1, max_count => $2)",
    () => 20,
  ),
  paged("a reader in long transactions", ALL, (random) => random.between(1, 30), 20),
  {
    name: "a reader that keeps the horizon",
    page: async (session, cursor) => {
      const next = Math.max(cursor, await session.value<number>("select daybook.horizon()"));
      const text = "select position from daybook.event_log where position > $1 and position <= $2 order by position";
      return { seen: await session.column<number>(text, [cursor, next]), next };
    },
  },
];

/** Follows the log from its beginning until `ended` says that no more will come, and gives all that was seen. */
export async function follow(
  session: Session,
  reader: Reader,
  random: Random,
  ended: () => boolean,
): Promise<number[]> {
  const all: number[] = [];
  let cursor = 0;
  let pages = 0;
  const inTransaction = reader.pagesInTransaction ?? 0;
  for (;;) {
    const last = ended();
    if (inTransaction > 0 && pages % inTransaction === 0) await session.rows("begin");
    const { seen, next } = await reader.page(session, cursor, random);
    pages += 1;
    if (inTransaction > 0 && pages % inTransaction === 0) await session.rows("commit");
    all.push(...seen);
    cursor = next;
    if (seen.length === 0 && last) return all;
    // Not to leave the processor to readers alone.
    if (seen.length === 0) await sleep(random.between(1, 10));
  }
}
