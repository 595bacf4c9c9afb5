import { execFile, spawnSync } from "node:child_process";
import { chmod, cp, mkdir, readFile, rename, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { z } from "zod";
import type { ServerBinaries } from "./binaries.ts";
import { EmbeddedServerError } from "./embedded-server-error.ts";
import type { OsUser } from "./os-user.ts";

const run = promisify(execFile);
/** Where copies go: the first of these that can be written. */
const PLACES = ["/var/cache/daybook", join(tmpdir(), "daybook-programs")];

const known = new Map<string, Promise<ServerBinaries>>();

/**
 * Binaries that an OS user can run: the ones given, or, where they lie below a directory that is closed to that user
 * (a checkout in root's home), a copy, made once per release.
 *
 * @param places directories for the copy, best first; made if need be, and only used if they are root's alone
 * @throws EmbeddedServerError if the user can run neither
 */
export function reachableBinaries(
  binaries: ServerBinaries,
  user: OsUser | null,
  places: readonly string[] = PLACES,
): Promise<ServerBinaries> {
  if (!user || canRun(binaries.postgres, user)) return Promise.resolve(binaries);
  const key = `${binaries.postgres} ${user.uid}`;
  const copy = known.get(key) ?? copyOf(binaries, user, places);
  known.set(key, copy);
  return copy;
}

async function copyOf(binaries: ServerBinaries, user: OsUser, places: readonly string[]): Promise<ServerBinaries> {
  if (binaries.root) {
    const name = `postgresql-${await packageVersion(binaries.root, binaries.release)}-${process.arch}`;
    for (const base of places) {
      const root = await install(binaries.root, base, name).catch(() => null);
      const copy = root && {
        ...binaries,
        root,
        postgres: join(root, "bin/postgres"),
        initdb: join(root, "bin/initdb"),
      };
      if (copy && canRun(copy.postgres, user)) return copy;
    }
  }
  throw new EmbeddedServerError(
    `The OS user that PostgreSQL runs as (user id ${user.uid}) cannot run ${binaries.postgres}.`,
    "Move the checkout to a directory that other users can enter, run as an ordinary user, or set DATABASE_URL.",
  );
}

async function install(source: string, base: string, name: string): Promise<string> {
  await mkdir(base, { recursive: true });
  await ownedByRoot(base);
  await chmod(base, 0o755);
  const target = join(base, name);
  if (await stat(target).catch(() => null)) {
    await ownedByRoot(target);
    return target;
  }
  const draft = `${target}.new-${process.pid}`;
  try {
    await cp(source, draft, { recursive: true, verbatimSymlinks: true });
    await run("chmod", ["-R", "a+rX,go-w", draft]);
    await rename(draft, target);
  } catch (error) {
    await rm(draft, { recursive: true, force: true });
    // Another process was first.
    if (!(await stat(target).catch(() => null))) throw error;
  }
  return target;
}

/** Nobody else may have put programs there for us to run. */
async function ownedByRoot(path: string): Promise<void> {
  const { uid, mode } = await stat(path);
  if (uid !== 0 || (mode & 0o022) !== 0) throw new Error(`${path} is not root's alone`);
}

function canRun(program: string, user: OsUser): boolean {
  return spawnSync(program, ["--version"], { cwd: "/", stdio: "ignore", ...user }).status === 0;
}

async function packageVersion(root: string, release: string): Promise<string> {
  const text = await readFile(join(root, "..", "package.json"), "utf8").catch(() => "{}");
  return z.object({ version: z.string().default(release) }).parse(JSON.parse(text)).version;
}
