import { createHash } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { loadMigrationFiles } from "postgres-migrations";
import { z } from "zod";

/** A file of `migrations/`. */
export interface MigrationFile {
  readonly id: number;
  readonly fileName: string;
  /** As postgres-migrations records it. */
  readonly hash: string;
  readonly sql: string;
}

/** A file of `sql/`. */
export interface ObjectFile {
  /** From `sql/` on, such as `functions/append.sql`. */
  readonly name: string;
  readonly hash: string;
  readonly sql: string;
}

/** What one version of Daybook installs. */
export interface PackageFiles {
  readonly version: string;
  /** The directory of the migrations. */
  readonly migrationsDir: string;
  readonly migrations: readonly MigrationFile[];
  /** In the order in which they are installed. */
  readonly objects: readonly ObjectFile[];
}

/** The file of `sql/` that holds what migrate itself needs; it comes first. */
export const installer = "installer.sql";

const packageRoot = fileURLToPath(new URL("../..", import.meta.url));
const manifest = z.object({ version: z.string() });

/** Reads the files of a version of Daybook: `package.json`, `migrations/` and `sql/` of a directory. */
export async function readPackageFiles(dir: string = packageRoot): Promise<PackageFiles> {
  const migrationsDir = join(dir, "migrations");
  const [text, migrations, objects] = await Promise.all([
    readFile(join(dir, "package.json"), "utf8"),
    loadMigrationFiles(migrationsDir),
    readObjects(join(dir, "sql")),
  ]);
  return { version: manifest.parse(JSON.parse(text)).version, migrationsDir, migrations, objects };
}

async function readObjects(dir: string): Promise<ObjectFile[]> {
  const groups = await Promise.all(
    ["functions", "triggers", "views"].map(async (group) =>
      (await readdir(join(dir, group)))
        .filter((name) => name.endsWith(".sql"))
        .sort()
        .map((name) => `${group}/${name}`),
    ),
  );
  return Promise.all(
    [installer, ...groups.flat(), "grants.sql"].map(async (name) => {
      const sql = await readFile(join(dir, name), "utf8");
      return { name, hash: createHash("sha256").update(sql).digest("hex"), sql };
    }),
  );
}
