import { z } from "zod";
import type { Db } from "../db.ts";
import { MigrationError } from "../errors.ts";
import type { PackageFiles } from "./package-files.ts";
import { compareVersions } from "./versions.ts";

const installedRow = z.object({
  version: z.string().nullable(),
  migrations: z.array(z.string()),
  objects: z.array(z.string()),
});

/** What is recorded in a database. */
export interface Installed {
  /** Null: nothing was ever completely installed. */
  readonly version: string | null;
  /** Hashes of the applied migrations by their numbers. */
  readonly migrations: ReadonlyMap<number, string>;
  /** Hashes of the installed objects by the names of their files. */
  readonly objects: ReadonlyMap<string, string>;
}

/** What a database lacks of a version of Daybook. */
export interface Difference {
  readonly upToDate: boolean;
  /** Files of migrations that have not been applied. */
  readonly pendingMigrations: readonly string[];
  /** Files of objects that are not installed, or not as they are now. */
  readonly changedObjects: readonly string[];
  /** Files that were installed and are no more. */
  readonly removedObjects: readonly string[];
  /** The database was installed by a newer version. */
  readonly newer: boolean;
  readonly installedVersion: string | null;
}

/** Reads what is recorded; takes no lock. Nothing at all is recorded where Daybook is not installed. */
export async function readInstalled(db: Db): Promise<Installed> {
  const [there] = await db.query<{ there: boolean }>(
    "select to_regclass('daybook.installation') is not null and to_regclass('daybook.migrations') is not null as there",
  );
  if (!there?.there) return { version: null, migrations: new Map(), objects: new Map() };
  const [found] = await db.query(`
    select (select i.version from daybook.installation i) as version,
           array(select m.id || ':' || m.hash from daybook.migrations m order by m.id) as migrations,
           array(select o.name || ':' || o.hash from daybook.installed_objects o order by o.name) as objects`);
  const { version, migrations, objects } = installedRow.parse(found);
  return {
    version,
    migrations: new Map(migrations.map(pair).map(([id, hash]) => [Number(id), hash])),
    objects: new Map(objects.map(pair)),
  };
}

function pair(text: string): [string, string] {
  const at = text.lastIndexOf(":");
  return [text.slice(0, at), text.slice(at + 1)];
}

/**
 * Compares what is recorded in a database with the files of a version.
 *
 * @throws MigrationError if a migration was edited after it had been applied
 */
export function difference(installed: Installed, files: PackageFiles): Difference {
  const order = installed.version === null ? -1 : compareVersions(installed.version, files.version);
  const newer =
    order > 0 || (order === 0 && [...installed.migrations.keys()].some((id) => id >= files.migrations.length));
  if (!newer) refuseEdited(installed, files);
  const names = new Set(files.objects.map((file) => file.name));
  const missing = {
    pendingMigrations: files.migrations
      .filter((m) => m.id > 0 && !installed.migrations.has(m.id))
      .map((m) => m.fileName),
    changedObjects: files.objects.filter((o) => installed.objects.get(o.name) !== o.hash).map((o) => o.name),
    removedObjects: [...installed.objects.keys()].filter((name) => !names.has(name)),
  };
  const upToDate = order === 0 && !newer && Object.values(missing).every((list) => list.length === 0);
  return { upToDate, ...missing, newer, installedVersion: installed.version };
}

function refuseEdited(installed: Installed, files: PackageFiles): void {
  const edited = files.migrations.filter((m) => (installed.migrations.get(m.id) ?? m.hash) !== m.hash);
  if (edited.length === 0) return;
  const names = edited.map((m) => m.fileName);
  throw new MigrationError(`${names.join(", ")} was edited after it had been applied to this database`, {
    detail: { files: names },
    hint: "Put the file back as it was, and make the change in a new file. A database of trial runs can be set up anew: daybook uninstall, then daybook migrate.",
  });
}
