import type { NotSent, Sent } from "./transport.ts";

/** No answer in time: nobody knows whether the message arrived. */
export class TransportTimeoutError extends Error {
  override readonly name = "TransportTimeoutError";
  readonly code = "timeout";
}

/** The transport was closed. */
export class TransportClosedError extends Error {
  override readonly name = "TransportClosedError";
  readonly code = "closed";
}

/** The broker cannot be reached, or takes nothing at the moment. */
export class BrokerUnavailableError extends Error {
  override readonly name = "BrokerUnavailableError";
  readonly code = "broker_unavailable";
  /** Milliseconds after which it is worth another try. */
  readonly retryAfter: number;

  constructor(message: string, retryAfter: number, cause?: unknown) {
    super(message, { cause });
    this.retryAfter = retryAfter;
  }
}

/** An optional package that a transport or consumer needs is not installed. */
export class MissingPackageError extends Error {
  override readonly name = "MissingPackageError";
  readonly code = "missing_package";
}

/** The one outcome of success. */
export const sent: Sent = Object.freeze({ ok: true });

/** The outcome of a message that was not sent. */
export function notSent(error: unknown, facts: Omit<NotSent, "ok" | "error"> = {}): NotSent {
  return { ok: false, error: toError(error), ...facts };
}

/** What was thrown, as an error. */
export function toError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(String(thrown), { cause: thrown });
}

/** Whether the other side could not even be reached: the message is not at fault. */
export function isUnreachable(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  if ("code" in error && typeof error.code === "string" && unreachable.has(error.code)) return true;
  if (error instanceof AggregateError && error.errors.length > 0) return error.errors.every(isUnreachable);
  return isUnreachable(error.cause);
}

const unreachable = new Set([
  "ECONNREFUSED",
  "ENOTFOUND",
  "EAI_AGAIN",
  "EHOSTUNREACH",
  "EHOSTDOWN",
  "ENETUNREACH",
  "ENETDOWN",
  "UND_ERR_CONNECT_TIMEOUT",
]);

/**
 * Imports an optional package when it is used.
 *
 * @throws MissingPackageError with the command that brings it
 */
export async function importOptional<M>(name: string, load: () => Promise<M>): Promise<M> {
  try {
    return await load();
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "ERR_MODULE_NOT_FOUND")) throw error;
    throw new MissingPackageError(`the package ${name} is not installed: npm install ${name}`, { cause: error });
  }
}
