import type { Db } from "../db.ts";
import { type Handler, registerHandler } from "../handlers/index.ts";
import { type Route, registerRoute } from "../outbox/index.ts";
import { type OnEvent, safely } from "../waking/facts.ts";

/**
 * Makes a handler or route known to the database, with its definition as it is now. A role that may not do that (only
 * administrators make routes: their mapping functions run as part of each append) runs what is there.
 */
export async function register(
  db: Db,
  kind: "handler" | "route",
  what: Handler | Route,
  onEvent: OnEvent | undefined,
): Promise<void> {
  try {
    if ("transport" in what) await registerRoute(db, what);
    else await registerHandler(db, what);
  } catch (error) {
    const isForbidden = error instanceof Error && "code" in error && error.code === "42501";
    if (!isForbidden || !(await isThere(db, kind, what.name))) throw error;
    safely(onEvent)({ type: `${kind}-not-updated`, level: "info", error, detail: { name: what.name } });
  }
}

async function isThere(db: Db, kind: "handler" | "route", name: string): Promise<boolean> {
  const relation = kind === "handler" ? "daybook.handlers" : "daybook.routes";
  return (await db.query(`select from ${relation} r where r.name = $1`, [name])).length > 0;
}
