import { setTimeout as sleep } from "node:timers/promises";
import { MigrationError } from "../errors.ts";
import { causeHint } from "./explain.ts";
import { installer, type ObjectFile, type PackageFiles } from "./package-files.ts";
import type { Session } from "./session.ts";
import type { Difference } from "./state.ts";

/** How long the installation may try to get its locks, in milliseconds. */
const patience = 60_000;

/**
 * Installs the objects of `sql/` in one transaction: those whose files changed, and, whenever there are any, the triggers
 * and the grants. Records the version. Gives the names of the files.
 *
 * Some of it takes locks that appends conflict with. It waits for none longer than 300 ms, less than it takes the server
 * to see a deadlock, so that it is never an application's transaction that has to give way; then it begins again.
 */
export async function installObjects(session: Session, files: PackageFiles, missing: Difference): Promise<string[]> {
  const changed = new Set(missing.changedObjects);
  const chosen = files.objects.filter(
    ({ name }) => changed.has(name) || (changed.size > 0 && (name.startsWith("triggers/") || name === "grants.sql")),
  );
  const until = Date.now() + patience;
  for (let attempt = 1; ; attempt += 1) {
    try {
      await inTransaction(session, () => installAll(session, files, chosen, missing.removedObjects));
      return chosen.map((file) => file.name);
    } catch (error) {
      if (!isLockTimeout(error) || Date.now() > until) throw error;
      await sleep(Math.min(100 * attempt, 1000));
    }
  }
}

async function installAll(
  session: Session,
  files: PackageFiles,
  chosen: readonly ObjectFile[],
  removed: readonly string[],
): Promise<void> {
  await session.script(`
    set local check_function_bodies = off;
    set local client_min_messages = warning;
    set local lock_timeout = '300ms';
    set local statement_timeout = 0;
    set local search_path = pg_catalog, pg_temp`);
  for (const file of chosen) await installFile(session, file);
  await session.db.query(
    `insert into daybook.installed_objects (name, hash)
     select f.name, f.hash from unnest($1::text[], $2::text[]) f (name, hash)
         on conflict (name) do update set hash = excluded.hash, installed_at = excluded.installed_at`,
    [chosen.map((file) => file.name), chosen.map((file) => file.hash)],
  );
  await session.db.query("delete from daybook.installed_objects where name = any ($1::text[])", [removed]);
  await session.db.query(
    `insert into daybook.installation (version) values ($1)
         on conflict (singleton) do update
            set version = excluded.version, installed_at = excluded.installed_at, installed_by = excluded.installed_by`,
    [files.version],
  );
}

async function installFile(session: Session, file: ObjectFile): Promise<void> {
  try {
    await (file.name.startsWith("views/") ? installView(session, file) : session.script(file.sql));
  } catch (error) {
    if (isLockTimeout(error)) throw error;
    throw new MigrationError(`sql/${file.name}: ${error instanceof Error ? error.message : String(error)}`, {
      detail: { file: `sql/${file.name}` },
      hint: causeHint(error),
      cause: error,
    });
  }
}

/** A view whose columns are others than before cannot be replaced: it is dropped, alone, and made again. */
async function installView(session: Session, file: ObjectFile): Promise<void> {
  await session.script("savepoint daybook_view");
  try {
    await session.script(file.sql);
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "42P16")) throw error;
    const view = file.name.slice("views/".length, -".sql".length);
    await session.script("rollback to savepoint daybook_view");
    await session.script(`drop view daybook."${view}"`);
    await session.script(file.sql);
  }
  await session.script("release savepoint daybook_view");
}

/** Makes the schema and the tables of migrate itself, where they are not as the file says. */
export async function installInstaller(session: Session, files: PackageFiles, missing: Difference): Promise<void> {
  const file = files.objects.find(({ name }) => name === installer);
  if (file === undefined || !missing.changedObjects.includes(installer)) return;
  await inTransaction(session, async () => {
    await session.script("set local client_min_messages = warning");
    await installFile(session, file);
  });
}

async function inTransaction(session: Session, work: () => Promise<void>): Promise<void> {
  await session.script("begin");
  try {
    await work();
    await session.script("commit");
  } catch (error) {
    await session.script("rollback").catch(() => undefined);
    throw error;
  }
}

function isLockTimeout(error: unknown): boolean {
  return error instanceof Error && "code" in error && (error.code === "55P03" || error.code === "40P01");
}
