import { setTimeout as delay } from "node:timers/promises";
import { type DbLike, toDb } from "../../src/index.ts";

/**
 * Waits until handlers have seen everything that is in the log now, and what they themselves appended on the way.
 *
 * @throws Error if one of them needs a person, or a minute has passed
 */
export async function allCaughtUp(db: DbLike, names: readonly string[]): Promise<void> {
  const target = toDb(db);
  for (const end = Date.now() + 60_000; Date.now() < end; await delay(20)) {
    const behind = await target.query<{ name: string; needs_person: boolean }>(
      `select h.name, h.needs_person from daybook.handlers h
        where h.name = any ($1::text[]) and (h.position < (select max(e.position) from daybook.events e) or h.parked_streams > 0)`,
      [names],
    );
    const failed = behind.find((handler) => handler.needs_person);
    if (failed) throw new Error(`handler ${failed.name} needs a person: select * from daybook.handlers`);
    if (behind.length === 0) return;
  }
  throw new Error("the handlers have not caught up within a minute");
}

/** What the handlers have written, in numbers. */
export async function figures(db: DbLike): Promise<Record<string, bigint>> {
  const [row] = await toDb(db).query<Record<string, bigint>>(`
    select (select count(*) from marketplace.audit_trail) as "events in the audit trail",
           (select count(*) from marketplace.notifications) as "letters",
           (select coalesce(sum(calls_completed), 0)::bigint from marketplace.daily_figures) as "calls",
           (select coalesce(sum(bids_placed), 0)::bigint from marketplace.daily_figures) as "bids",
           (select coalesce(sum(-transaction_cents), 0)::bigint from marketplace.daily_figures) as "cents turned over",
           (select count(*) from daybook.events where type = 'ComplianceCheckPassed') as "checks passed",
           (select count(*) from daybook.events where type = 'ComplianceViolationDetected') as "violations",
           (select count(*) from marketplace.consents where granted) as "consents"`);
  return row ?? {};
}
