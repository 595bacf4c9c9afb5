import type { ConsumerKind } from "../consumers/types.ts";
import type { Db } from "../db.ts";
import { type Handler, registerHandler } from "../handlers/index.ts";
import { type Route, registerRoute } from "../outbox/index.ts";
import { type Projection, registerProjection } from "../projections/index.ts";
import { type OnEvent, safely } from "../waking/facts.ts";

/**
 * Makes a handler, projection or route known to the database, with its definition as it is now. A role that may not do
 * that (only administrators make routes, whose mapping functions run as part of each append, and projections, which have
 * tables made) runs what is there.
 */
export async function register(
  db: Db,
  kind: ConsumerKind,
  what: Handler | Projection | Route,
  onEvent: OnEvent | undefined,
): Promise<void> {
  try {
    if ("transport" in what) await registerRoute(db, what);
    else if ("tables" in what) await registerProjection(db, what);
    else await registerHandler(db, what);
  } catch (error) {
    const isForbidden = error instanceof Error && "code" in error && error.code === "42501";
    if (!isForbidden || !(await isThere(db, kind, what.name))) throw error;
    safely(onEvent)({ type: `${kind}-not-updated`, level: "info", error, detail: { name: what.name } });
  }
}

async function isThere(db: Db, kind: ConsumerKind, name: string): Promise<boolean> {
  return (await db.query(`select from daybook.${kind}s r where r.name = $1`, [name])).length > 0;
}
