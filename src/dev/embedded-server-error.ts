/**
 * The embedded server could not be started, shared or stopped. `message` says what happened, `hint` what to do about
 * it; both are sentences for a person, so print them instead of the stack.
 */
export class EmbeddedServerError extends Error {
  override readonly name = "EmbeddedServerError";
  /** What to do about it. */
  readonly hint: string;

  constructor(message: string, hint: string, options?: ErrorOptions) {
    super(message, options);
    this.hint = hint;
  }
}

/**
 * What the file system or the process table refused, as an `EmbeddedServerError`; any other error is returned as it is.
 */
export function explainSystemError(error: unknown, dataDir: string): unknown {
  if (!(error instanceof Error) || !("code" in error) || !("syscall" in error)) return error;
  const { code, syscall, path } = error as NodeJS.ErrnoException;
  const what = `${syscall} ${path ?? ""}`.trim();
  const hints: Record<string, string> = {
    EACCES: `Run as the OS user that owns ${dataDir}, or choose another directory with DAYBOOK_DATA_DIR.`,
    EPERM: `Run as the OS user that owns ${dataDir}, or choose another directory with DAYBOOK_DATA_DIR.`,
    EROFS: "The file system is read-only: choose another directory with DAYBOOK_DATA_DIR.",
    ENOSPC: "The disk is full: make room, or choose another directory with DAYBOOK_DATA_DIR.",
    ENOTDIR: `Something that is not a directory is in the way of ${dataDir}: move it away.`,
    EEXIST: `Something that is not a directory is in the way of ${dataDir}: move it away.`,
  };
  return new EmbeddedServerError(
    `The embedded PostgreSQL cannot use ${dataDir}: ${what} gave ${code ?? "an error"}.`,
    (code && hints[code]) ?? "Choose another directory with DAYBOOK_DATA_DIR, or another server with DATABASE_URL.",
    { cause: error },
  );
}
