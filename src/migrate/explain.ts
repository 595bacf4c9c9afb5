import { DaybookError, MigrationError } from "../errors.ts";

/** What to do about an error of the server or of the connection that ended a migration; undefined where it says so itself. */
export function causeHint(error: unknown): string | undefined {
  const code = codeOf(error);
  if (error instanceof Error && "hint" in error && typeof error.hint === "string") return error.hint;
  switch (code) {
    case "42501":
      return "Migrate as the role that owns the schema daybook, or as a superuser. For a first installation: grant create on database … to that role.";
    case "28P01":
    case "28000":
      return "Check user and password of the connection string, and pg_hba.conf of the server.";
    case "3D000":
      return "Make the database first: create database …";
    case "ECONNREFUSED":
    case "ENOTFOUND":
    case "EAI_AGAIN":
    case "ENOENT":
    case "ETIMEDOUT":
    case "EHOSTUNREACH":
      return "Is the server running, and does the connection string (DATABASE_URL) name it?";
    case "2BP01":
      return "Something else in this database rests on it: remove that first, migrate, and make it again.";
    default:
      return undefined;
  }
}

/** An error as `migrate` and `uninstall` throw it: Daybook's own as they are, any other wrapped, with a hint. */
export function explain(error: unknown, what: string): DaybookError<unknown> {
  if (error instanceof DaybookError) return error;
  const code = codeOf(error);
  return new MigrationError(`${what}: ${messageOf(error)}`, {
    detail: code === undefined ? {} : { code },
    hint: causeHint(error),
    cause: error,
  });
}

function messageOf(error: unknown): string {
  // a host name with several addresses fails with one error for each
  if (error instanceof AggregateError) return error.errors.map(messageOf).join("; ");
  return error instanceof Error ? error.message : String(error);
}

function codeOf(error: unknown): string | undefined {
  return error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : undefined;
}
