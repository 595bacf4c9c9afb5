import { z } from "zod";
import type { DrainOptions, DrainOutcome, DrainResult } from "../consumers/drain.ts";
import { type DbLike, toDb } from "../db.ts";
import { isRetriable } from "../retriable.ts";

/**
 * What came of one batch. `more`: there are others; `done`: it has come to the end; `retry`, `parked`, `skipped`, `halted`:
 * an event failed, what lies before it is done; `waiting`: for the next try; `busy`: somebody else has it; `typescript`: its code has
 * events to do first; `paused`;
 * `inline`: appends keep it up to date; `switched`: it has taken the place of the live version, or is inline from here on.
 */
export type AdvanceOutcome = z.output<typeof outcomes>;

/** What one batch of a projection came to. */
export interface Advanced {
  /** Events that were applied. */
  readonly handled: number;
  readonly position: bigint;
  readonly more: boolean;
  readonly outcome: AdvanceOutcome;
}

const outcomes = z.enum([
  "more",
  "done",
  "retry",
  "parked",
  "skipped",
  "halted",
  "waiting",
  "busy",
  "typescript",
  "paused",
  "inline",
  "switched",
]);

const rows = z.tuple([z.object({ handled: z.int(), position: z.bigint(), more: z.boolean(), outcome: outcomes })]);

// whoever has narrowed this session to a tenant would skip the events of the others
const advanceText = `
  select a.handled, a."position", a.more, a.outcome
    from (select set_config('daybook.tenant', '', true) is not null as is_wide offset 0) w
   cross join lateral daybook.advance_projection(
           name => case when w.is_wide then $1::text end, max_count => $2::integer) a`;

/**
 * Gives a projection its next events: one batch, one call, in the transaction of the call. Of a projection in TypeScript it
 * only has the version that is being built take the live one's place.
 *
 * @param input.name its name; `<name>@<version>` for the version that is being built
 * @param input.maxCount 1000 unless said otherwise
 * @throws UnknownProjectionError, WrongIsolationError, CheckpointAheadError; what says "do it again"
 */
export async function advanceProjection(
  db: DbLike,
  { name, maxCount = 1000 }: { readonly name: string; readonly maxCount?: number | undefined },
): Promise<Advanced> {
  const found = await toDb(db).query(advanceText, [name, maxCount], { name: "daybook_advance_projection" });
  return rows.parse(found)[0];
}

/** Events in a batch: at first, at most, at least. */
const batch = { first: 1000, most: 5000, least: 100 };
/** Milliseconds of a batch: one that is quicker is followed by a larger one, one that is slower by a smaller one. */
const time = { quick: 50, slow: 250 };
/** How often a deadlock and its like are tried again at once. */
const most = 3;

/** Advances a projection in SQL, batch by batch, until there is nothing left, the time is over, or it has to wait. */
export async function drainSql(db: DbLike, name: string, options: DrainOptions): Promise<DrainResult> {
  const { budget = 1000, maxBatch = batch.most, signal } = options;
  const end = performance.now() + budget;
  let size = Math.min(batch.first, maxBatch);
  let handled = 0;
  for (let failures = 0; signal?.aborted !== true; ) {
    let result: Advanced;
    const begun = performance.now();
    try {
      result = await advanceProjection(db, { name, maxCount: size });
    } catch (error) {
      if (isTimeout(error) && size > 1) {
        size = Math.ceil(size / 4);
        continue;
      }
      failures += 1;
      if (!isRetriable(error) || failures > most) throw error;
      continue;
    }
    failures = 0;
    handled += result.handled;
    const took = performance.now() - begun;
    if (took > time.slow) size = Math.max(Math.floor(size / 2), Math.min(batch.least, maxBatch));
    else if (took < time.quick && result.handled === size) size = Math.min(size * 2, maxBatch);
    const outcome = endings[result.outcome];
    if (!result.more && outcome !== undefined) return { handled, more: false, outcome };
    if (performance.now() >= end) return { handled, more: true, outcome: "budget" };
  }
  return { handled, more: true, outcome: "stopped" };
}

/** The statement took longer than the connection allows: with fewer events it need not. */
function isTimeout(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "57014";
}

const endings: Partial<Record<AdvanceOutcome, DrainOutcome>> = {
  done: "dry",
  busy: "dry",
  typescript: "dry",
  paused: "dry",
  inline: "dry",
  switched: "dry",
  retry: "waiting",
  waiting: "waiting",
  halted: "halted",
};
