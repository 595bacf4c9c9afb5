import type pg from "pg";
import { migrate } from "postgres-migrations";
import { z } from "zod";
import { MigrationError } from "../errors.ts";
import { causeHint } from "./explain.ts";
import type { PackageFiles } from "./package-files.ts";
import type { Session } from "./session.ts";

const statement = z.union([z.string(), z.object({ text: z.string(), values: z.array(z.unknown()).optional() })]);

/**
 * Has postgres-migrations apply the files of `migrations/` that are not applied yet; gives their names. The schema
 * daybook and its table migrations are there. For the time of it the session sees that schema alone: a table named
 * migrations in another one would be taken for ours.
 */
export async function runMigrations(session: Session, files: PackageFiles): Promise<string[]> {
  const [before] = await session.db.query<{ path: string; timeout: string }>(
    "select current_setting('search_path') as path, current_setting('statement_timeout') as timeout",
  );
  const watched = watch(session);
  await setUp(session, "daybook", "0");
  try {
    const done = await migrate({ client: watched.client }, files.migrationsDir);
    return done.map((migration) => migration.fileName).filter((name) => isOurs(files, name));
  } catch (error) {
    // its own error has the message of the server's, and neither SQLSTATE nor hint
    const cause = watched.failure()?.error ?? error;
    const file = files.migrations.find((m) => m.sql === watched.failure()?.text)?.fileName;
    const message = cause instanceof Error ? cause.message : String(cause);
    throw new MigrationError(file === undefined ? message : `${file}: ${message}`, {
      detail: file === undefined ? {} : { file },
      hint: causeHint(cause) ?? "Nothing of this file was applied. Mend what it says and migrate again.",
      cause,
    });
  } finally {
    // a connection that is lost keeps no settings
    await setUp(session, before?.path ?? "", before?.timeout ?? "0").catch(() => undefined);
  }
}

async function setUp(session: Session, searchPath: string, statementTimeout: string): Promise<void> {
  await session.db.query("select set_config('search_path', $1, false), set_config('statement_timeout', $2, false)", [
    searchPath,
    statementTimeout,
  ]);
}

/** Its first file makes its own table, which is there already. */
function isOurs(files: PackageFiles, name: string): boolean {
  return files.migrations.some((m) => m.fileName === name && m.id > 0);
}

interface Failure {
  readonly text: string;
  readonly error: unknown;
}

/** The session as postgres-migrations takes it, noting the first statement that fails. */
function watch(session: Session): { client: pg.Client; failure(): Failure | undefined } {
  let first: Failure | undefined;
  const client = {
    async query(given: unknown) {
      const parsed = statement.parse(typeof given === "string" ? given : { ...pick(given) });
      const { text, values = [] } = typeof parsed === "string" ? { text: parsed } : parsed;
      try {
        return { rows: values.length === 0 ? await session.script(text) : await session.db.query(text, values) };
      } catch (error) {
        first ??= { text, error };
        throw error;
      }
    },
  };
  // it asks for a client of pg, and uses this much of it
  return { client: client as unknown as pg.Client, failure: () => first };
}

/** `text` is a getter of its statements, which a copy would miss. */
function pick(given: unknown): { text: unknown; values: unknown } {
  const { text, values } = given as { text: unknown; values: unknown };
  return { text, values };
}
