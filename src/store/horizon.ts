import { z } from "zod";
import { type DbLike, toDb } from "../db.ts";

const row = z.object({ horizon: z.bigint() });

/**
 * The highest position below which no append is in flight: a reader that goes no further never skips an event. It can
 * come out lower than an earlier one; use the greater. Not meaningful on a standby.
 *
 * @throws WrongIsolationError in a transaction of another isolation level than READ COMMITTED
 */
export async function horizon(db: DbLike): Promise<bigint> {
  const [found] = await toDb(db).query("select daybook.horizon() as horizon", [], { name: "daybook_horizon" });
  return row.parse(found).horizon;
}
