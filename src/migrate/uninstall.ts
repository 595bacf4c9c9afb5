import type { Db, DbLike } from "../db.ts";
import { UninstallBlockedError } from "../errors.ts";
import { outsideDependents, ownSchemas } from "./dependents.ts";
import { explain } from "./explain.ts";
import { underLock } from "./lock.ts";
import { type Session, withSession } from "./session.ts";

export interface UninstallOptions {
  /** Told what is done, a line each. */
  readonly log?: (line: string) => void;
  /** True: removes what other objects of the database rest on Daybook's, too, instead of refusing. */
  readonly cascade?: boolean;
}

/** What `uninstall` has done. */
export interface UninstallReport {
  /** What was removed: schemas and roles, and what rested on them. */
  readonly removed: readonly string[];
  /** What is left, and why. */
  readonly left: readonly { readonly what: string; readonly why: string }[];
}

const roles = ["daybook_admin", "daybook_worker", "daybook_writer", "daybook_reader", "daybook_projector"];

/**
 * Removes Daybook from a database, and every event with it: its schemas with all they hold, then its five roles, which
 * belong to the whole server, with their memberships. A role that something else still rests on (Daybook in another
 * database, a grant on a table of yours) is left, and reported. Takes the databases that `migrate` takes.
 *
 * @throws UninstallBlockedError if other objects of the database rest on Daybook's; nothing is removed then
 * @throws MigrationError with what went wrong and what to do
 */
export async function uninstall(db: DbLike | string, options: UninstallOptions = {}): Promise<UninstallReport> {
  const log = options.log ?? (() => undefined);
  try {
    return await withSession(db, (session) =>
      underLock(
        session,
        () => log("waiting for another process that is installing"),
        async () => {
          const removed = await dropSchemas(session, options.cascade ?? false);
          const dropped = await dropRoles(session.db);
          const report = {
            removed: [...removed, ...dropped.removed],
            left: [...dropped.left, ...(await leftSettings(session.db))],
          };
          for (const what of report.removed) log(`${what} removed`);
          for (const { what, why } of report.left) log(`${what} left: ${why}`);
          if (report.removed.length === 0 && report.left.length === 0) log("Daybook is not installed here");
          return report;
        },
      ),
    );
  } catch (error) {
    throw explain(error, "Daybook could not be removed");
  }
}

async function dropSchemas(session: Session, cascade: boolean): Promise<string[]> {
  const found = await ownSchemas(session.db);
  if (found.length === 0) return [];
  return session.db.transaction(async (tx) => {
    const outside = await outsideDependents(tx, found);
    if (outside.length > 0 && !cascade) {
      throw new UninstallBlockedError(`other objects of this database rest on Daybook's: ${outside.join(", ")}`, {
        detail: { objects: outside },
        hint: "Remove them first, or have them removed: daybook uninstall --cascade.",
      });
    }
    await tx.query("set local lock_timeout = '10s'");
    await tx.query("set local client_min_messages = warning");
    await tx.query(`drop schema ${found.map((name) => `"${name}"`).join(", ")} cascade`);
    return [...found.map((name) => `schema ${name}`), ...outside];
  });
}

async function dropRoles(db: Db): Promise<UninstallReport> {
  const removed: string[] = [];
  const left: { what: string; why: string }[] = [];
  for (const role of roles) {
    const [there] = await db.query("select from pg_roles r where r.rolname = $1", [role]);
    if (there === undefined) continue;
    try {
      await db.query(`drop role ${role}`);
      removed.push(`role ${role}`);
    } catch (error) {
      const why = reason(error);
      if (why === undefined) throw error;
      left.push({ what: `role ${role}`, why });
    }
  }
  return { removed, left };
}

/** Why a role cannot be dropped: something rests on it, it is this session's own, or that takes more rights. */
function reason(error: unknown): string | undefined {
  if (!(error instanceof Error && "code" in error)) return undefined;
  if (!["2BP01", "55006", "42501"].includes(String(error.code))) return undefined;
  const detail = "detail" in error && typeof error.detail === "string" ? error.detail : "";
  return [error.message, ...detail.split("\n")].filter(Boolean).join("; ");
}

/** Settings of roles and databases are their administrator's, so they are named and not touched. */
async function leftSettings(db: Db): Promise<{ what: string; why: string }[]> {
  const found = await db.query<{ what: string }>(`
    select 'setting ' || c || coalesce(' of role ' || r.rolname, '') || coalesce(' in database ' || d.datname, '') as what
      from pg_db_role_setting s
      left join pg_roles r on r.oid = s.setrole
      left join pg_database d on d.oid = s.setdatabase
     cross join unnest(s.setconfig) c
     where c like 'daybook.%' and s.setdatabase in (0, (select o.oid from pg_database o where o.datname = current_database()))
     order by 1`);
  return found.map(({ what }) => ({
    what,
    why: "it was made with ALTER ROLE or ALTER DATABASE; take it back with RESET",
  }));
}
