import { z } from "zod";
import type { Db } from "../db.ts";
import type { OnEvent } from "../waking/facts.ts";

const results = z.array(z.object({ task: z.string(), result: z.string() }));

/** So many rows of a kind one call of upkeep() deletes at most: where it was so many, there are more. */
const most = 10_000;

/** Does the upkeep, call by call until nothing is left to delete. */
export async function doUpkeep(db: Db, tell: OnEvent, signal: AbortSignal): Promise<void> {
  for (let hasMore = true; hasMore && !signal.aborted; ) {
    const done = results.parse(await db.query("select task, result from daybook.upkeep()"));
    for (const detail of done) tell({ type: "upkeep", level: "info", detail });
    hasMore = done.some(({ task, result }) => task.endsWith("forgotten") && Number(result) >= most);
  }
}
