import { type DbLike, toDb } from "../db.ts";
import { DatabaseIsNewerError } from "../errors.ts";
import { explain } from "./explain.ts";
import { underLock } from "./lock.ts";
import { installInstaller, installObjects } from "./objects.ts";
import { type PackageFiles, readPackageFiles } from "./package-files.ts";
import { ensurePartitions } from "./partitions.ts";
import { runMigrations } from "./run-migrations.ts";
import { type Session, withSession } from "./session.ts";
import { type Difference, difference, readInstalled } from "./state.ts";

export interface MigrateOptions {
  /** Told what is done, a line each. */
  readonly log?: (line: string) => void;
  /** A directory with another version's `package.json`, `migrations/` and `sql/`; this package's if not given. */
  readonly dir?: string;
}

/** What `migrate` has done. */
export interface MigrateReport {
  /** True if there was nothing to do. */
  readonly upToDate: boolean;
  /** Files of `migrations/` that were applied. */
  readonly migrations: readonly string[];
  /** Files of `sql/` that were installed. */
  readonly objects: readonly string[];
  /** Partitions that were made: this month's and those of the months ahead. */
  readonly partitions: readonly string[];
}

/** What a database lacks of this version of Daybook. */
export type MigrationStatus = Pick<
  Difference,
  "upToDate" | "pendingMigrations" | "changedObjects" | "newer" | "installedVersion"
>;

/**
 * Installs Daybook in a database, or brings it up to date: the numbered files of `migrations/` that are not applied yet,
 * then, in one transaction, the objects of `sql/` whose files have changed, then the partitions of the months ahead.
 *
 * Safe to be called by every process that starts: one does it, the others wait, and where nothing is to be done nothing
 * is locked. It needs a connection of its own that is not a pooler's in transaction mode: a connection string, a Pool, a
 * Client in no transaction, or a PGlite. The role must own the schema daybook, or be allowed to create schemas and roles.
 *
 * @throws DatabaseIsNewerError if a newer version has been here; nothing is changed then
 * @throws MigrationError with what went wrong, where, and what to do
 */
export async function migrate(db: DbLike | string, options: MigrateOptions = {}): Promise<MigrateReport> {
  const log = options.log ?? (() => undefined);
  try {
    const files = await readPackageFiles(options.dir);
    return await withSession(db, async (session) => {
      const report = (await isUpToDate(session, files)) ? nothing : await bringUpToDate(session, files, log);
      const partitions = await ensurePartitions(session.db);
      for (const name of partitions) log(`partition ${name} made`);
      const upToDate = report.upToDate && partitions.length === 0;
      if (upToDate) log(`up to date: version ${files.version}`);
      return { ...report, partitions, upToDate };
    });
  } catch (error) {
    throw explain(error, "Daybook could not be installed");
  }
}

/**
 * Compares a database with this version of Daybook; changes nothing and takes no lock.
 *
 * @throws MigrationError if a migration was edited after it had been applied, or the database cannot be read
 */
export async function checkMigrations(
  db: DbLike | string,
  options: Pick<MigrateOptions, "dir"> = {},
): Promise<MigrationStatus> {
  try {
    const files = await readPackageFiles(options.dir);
    const installed = await (typeof db === "string"
      ? withSession(db, (session) => readInstalled(session.db))
      : readInstalled(toDb(db)));
    const { upToDate, pendingMigrations, changedObjects, newer, installedVersion } = difference(installed, files);
    return { upToDate, pendingMigrations, changedObjects, newer, installedVersion };
  } catch (error) {
    throw explain(error, "the installation could not be checked");
  }
}

const nothing: MigrateReport = { upToDate: true, migrations: [], objects: [], partitions: [] };

async function isUpToDate(session: Session, files: PackageFiles): Promise<boolean> {
  return (await readDifference(session, files)).upToDate;
}

async function bringUpToDate(
  session: Session,
  files: PackageFiles,
  log: (line: string) => void,
): Promise<MigrateReport> {
  const onWait = () => log("waiting for another process that is installing");
  return underLock(session, onWait, async () => {
    const missing = await readDifference(session, files);
    if (missing.upToDate) return nothing;
    await installInstaller(session, files, missing);
    const migrations = missing.pendingMigrations.length === 0 ? [] : await runMigrations(session, files);
    for (const name of migrations) log(`migration ${name} applied`);
    const objects = await installObjects(session, files, missing);
    if (objects.length > 0) log(`${objects.length} objects installed`);
    log(`installed: version ${files.version}`);
    return { upToDate: false, migrations, objects, partitions: [] };
  });
}

async function readDifference(session: Session, files: PackageFiles): Promise<Difference> {
  const missing = difference(await readInstalled(session.db), files);
  if (missing.newer) {
    const installed = missing.installedVersion ?? "";
    throw new DatabaseIsNewerError(
      `this database was installed by Daybook ${installed}, which is newer than this one, ${files.version}`,
      {
        detail: { installed, package: files.version },
        hint: "Nothing was changed. Run the newer version of the package.",
      },
    );
  }
  return missing;
}
