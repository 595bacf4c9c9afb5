/**
 * The connection was lost, and the driver has no code for it (pg and slonik have none when the server goes without a word).
 * `code` is 08006 (connection_failure), the driver's error is the `cause`.
 */
export class ConnectionLostError extends Error {
  override readonly name = "ConnectionLostError";
  readonly code = "08006";
}

/**
 * True if the same work can succeed when it is done again from its start: a version conflict, a serialization failure, a
 * deadlock, a lock that was not to be had. All of it was rolled back.
 */
export function isRetriable(error: unknown): boolean {
  return ["YD001", "40001", "40P01", "55P03"].includes(codeOf(error) ?? "");
}

/**
 * True if the connection was lost, and with it the outcome: the append may have been committed. Done again it is
 * written once if it carries an idempotency key, or event ids together with an exact expected version.
 */
export function isConnectionLoss(error: unknown): boolean {
  const code = codeOf(error) ?? "";
  return /^(08...|57P0[1-5]|ECONNRESET|ECONNREFUSED|EPIPE|ETIMEDOUT)$/.test(code);
}

function codeOf(error: unknown): string | undefined {
  if (typeof error !== "object" || error === null) return undefined;
  if ("code" in error && typeof error.code === "string") return error.code;
  return "cause" in error ? codeOf(error.cause) : undefined;
}
