import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { EmbeddedServerError } from "./embedded-server-error.ts";

const run = promisify(execFile);

/** The OS user that the server runs as. */
export interface OsUser {
  readonly uid: number;
  readonly gid: number;
}

/** The user that is made where there is none. */
const OWN_NAME = "daybook";

/**
 * The OS user that the server must run as, or null where it runs as the caller. PostgreSQL refuses to run as root, so
 * root runs it as the owner of the data that is there already; as `postgres`, if there is such a user; as the system
 * user `daybook`, which is made; or as `nobody` where no user can be made.
 *
 * @param owner the user id that owns existing data, if there is any
 * @throws EmbeddedServerError for root on a system with none of these users
 */
export async function serverUser(owner: number | null): Promise<OsUser | null> {
  if (process.getuid?.() !== 0) return null;
  if (owner) {
    const known = await lookUp(String(owner));
    if (known) return known;
  }
  const user =
    (await lookUp("postgres")) ?? (await lookUp(OWN_NAME)) ?? (await makeSystemUser()) ?? (await lookUp("nobody"));
  if (user) return user;
  throw new EmbeddedServerError(
    "PostgreSQL does not run as root, and there is no other OS user that it could run as.",
    `Make one (useradd --system ${OWN_NAME}), run as an ordinary user, or set DATABASE_URL.`,
  );
}

/** Reads the passwd and group entries: initdb needs the former. */
async function lookUp(name: string): Promise<OsUser | null> {
  try {
    const [uid, gid] = await Promise.all([run("id", ["-u", name]), run("id", ["-g", name])]);
    const user = { uid: Number(uid.stdout), gid: Number(gid.stdout) };
    return Number.isInteger(user.uid) && Number.isInteger(user.gid) && user.uid !== 0 ? user : null;
  } catch {
    return null;
  }
}

async function makeSystemUser(): Promise<OsUser | null> {
  const options = ["--system", "--no-create-home", "--home-dir", "/nonexistent", "--shell", "/usr/sbin/nologin"];
  await run("useradd", [...options, OWN_NAME]).catch(() => undefined);
  return lookUp(OWN_NAME);
}
