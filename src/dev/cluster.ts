import { randomBytes } from "node:crypto";
import { readFileSync, realpathSync, type Stats, statSync } from "node:fs";
import { chmod, chown, lchown, mkdir, readdir, readFile, rename, rm, rmdir, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { ServerBinaries } from "./binaries.ts";
import { EmbeddedServerError } from "./embedded-server-error.ts";
import { type OsUser, serverUser } from "./os-user.ts";
import { isRunning, processIdentity, type ServerMark } from "./processes.ts";
import { lastLines, runServerProgram } from "./server-program.ts";

/**
 * A cluster in its place: `<dataDir>/postgres` holds the server's `data` and the `password` of its superuser, and
 * belongs to the OS user the server runs as.
 */
export interface Cluster extends ServerMark {
  readonly home: string;
  readonly user: OsUser | null;
  /** Of the superuser `postgres`. */
  readonly password: string;
}

/**
 * The cluster of a directory, made if it is not there. It is made under another name and renamed when it is complete, so
 * that it is never seen half made, and of two processes that make it at once one wins.
 *
 * @param notice told about what was in the way
 * @throws EmbeddedServerError if it cannot be made, or was made by another major version
 */
export async function openCluster(
  dataDir: string,
  binaries: ServerBinaries,
  durable: boolean,
  notice: (message: string) => void,
): Promise<Cluster> {
  const home = join(dataDir, "postgres");
  await clearUnfinished(dataDir);
  await refuseForeign(home, dataDir);
  const found = await inspect(home);
  if (found === "incomplete") await setAside(home, notice);
  if (found === "absent" || found === "incomplete") await make(dataDir, home, binaries, durable);
  else if (found !== binaries.version) throw otherVersion(dataDir, found, binaries.version);
  const user = await serverUser(statSync(home).uid);
  await keepPrivate(home, user);
  const data = realpathSync(join(home, "data"));
  const { dev, ino } = statSync(data);
  const password = readFileSync(join(home, "password"), "utf8").trim();
  return { home, user, password, dataPath: data, clusterName: `daybook-${dev}-${ino}-data` };
}

/** What is there: a cluster's major version, or why there is none. */
async function inspect(home: string): Promise<number | "absent" | "incomplete"> {
  if (!(await exists(home))) return "absent";
  const version = await readFile(join(home, "data", "PG_VERSION"), "utf8").catch(() => "");
  const complete = (await exists(join(home, "data", "global", "pg_control"))) && (await exists(join(home, "password")));
  return complete && /^\d+\s*$/.test(version) ? Number(version) : "incomplete";
}

async function make(dataDir: string, home: string, binaries: ServerBinaries, durable: boolean): Promise<void> {
  const user = await serverUser(null);
  const me = processIdentity(process.pid);
  const draft = join(dataDir, `postgres.new-${process.pid}-${me?.startedAt ?? "0"}-${randomBytes(3).toString("hex")}`);
  try {
    await mkdir(join(draft, "data"), { recursive: true, mode: 0o700 });
    await writeFile(join(draft, "password"), `${randomBytes(24).toString("base64url")}\n`, { mode: 0o600 });
    for (const path of [draft, join(draft, "data"), join(draft, "password")]) {
      if (user) await chown(path, user.uid, user.gid);
    }
    await initialise(binaries, join(draft, "data"), user, durable);
    await rename(draft, home);
  } catch (error) {
    await rm(draft, { recursive: true, force: true });
    // Another process was first.
    if ((await inspect(home)) === "absent") throw error;
  }
}

async function initialise(
  binaries: ServerBinaries,
  data: string,
  user: OsUser | null,
  durable: boolean,
): Promise<void> {
  const locale =
    binaries.version >= 17
      ? ["--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"]
      : ["--locale=C.UTF-8"];
  const common = ["--username=postgres", "--auth=scram-sha-256", "--encoding=UTF8", "--data-checksums"];
  const options = [...common, "--no-instructions", ...(durable ? [] : ["--no-sync"])];
  const run = (more: string[]) =>
    runServerProgram(binaries, "initdb", data, user, (dataPath) => [
      `--pgdata=${dataPath}`,
      `--pwfile=${dataPath}/../password`,
      ...options,
      ...more,
    ]);
  let result = await run(locale);
  // Older systems have no locale C.UTF-8.
  if (result.code !== 0 && /locale/.test(result.output)) result = await run(["--locale=C"]);
  if (result.code === 0) return;
  const unknownUser = /could not look up effective user ID/.test(result.output);
  throw new EmbeddedServerError(
    `initdb could not make a PostgreSQL data directory: ${lastLines(result.output, 3)}`,
    unknownUser
      ? "The OS user has no entry in /etc/passwd: add one, or set DATABASE_URL."
      : "If the reason is not clear from this, set DATABASE_URL to another server.",
  );
}

/** Removes what a process that has been killed left half made. */
async function clearUnfinished(dataDir: string): Promise<void> {
  for (const name of await readdir(dataDir)) {
    const [, pid, startedAt] = /^postgres\.new-(\d+)-(\w+)-/.exec(name) ?? [];
    if (pid === undefined || startedAt === undefined || isRunning({ pid: Number(pid), startedAt })) continue;
    await rm(join(dataDir, name), { recursive: true, force: true });
  }
}

/** Something is there that no server can start from. It may be dear to somebody: it is renamed, not removed. */
async function setAside(home: string, notice: (message: string) => void): Promise<void> {
  const empty = await rmdir(home).then(
    () => true,
    () => false,
  );
  if (empty) return;
  const aside = `${home}.incomplete-${new Date()
    .toISOString()
    .replaceAll(/[^\dT]/g, "")
    .slice(0, 15)}`;
  await rename(home, aside);
  notice(`An incomplete data directory was found and moved to ${aside}; a new one has been made.`);
}

/** An ordinary user cannot use what another one has made: said before anything is taken for incomplete. */
async function refuseForeign(home: string, dataDir: string): Promise<void> {
  const uid = (await statIfThere(home))?.uid;
  const me = process.getuid?.() ?? 0;
  if (uid === undefined || me === 0 || uid === me) return;
  throw new EmbeddedServerError(
    `The data in ${dataDir} belongs to another OS user (user id ${uid}).`,
    "Run as that user or as root, or choose another directory with DAYBOOK_DATA_DIR.",
  );
}

/** Repairs what copying a directory as root does to owners and modes: the server insists on them. */
async function keepPrivate(home: string, user: OsUser | null): Promise<void> {
  const data = join(home, "data");
  const { mode, uid } = await stat(data);
  if ((mode & 0o027) !== 0) await chmod(data, 0o700);
  if (!user || uid === user.uid) return;
  for (const name of ["", ...(await readdir(home, { recursive: true }))]) {
    await lchown(join(home, name), user.uid, user.gid);
  }
}

function otherVersion(dataDir: string, found: number, wanted: number): EmbeddedServerError {
  return new EmbeddedServerError(
    `The data in ${dataDir} was written by PostgreSQL ${found}, and PostgreSQL ${wanted} cannot read it.`,
    `Start it with DAYBOOK_PG_VERSION=${found}, or begin anew: mv ${dataDir} ${dataDir}-${found}`,
  );
}

async function exists(path: string): Promise<boolean> {
  return (await statIfThere(path)) !== null;
}

async function statIfThere(path: string): Promise<Stats | null> {
  try {
    return await stat(path);
  } catch (error) {
    if (error instanceof Error && "code" in error && (error.code === "ENOENT" || error.code === "ENOTDIR")) return null;
    throw error;
  }
}
