import { messageOf } from "./message-of.ts";

/** What is kept of an error on the rows that people read. */
export interface ErrorReport {
  readonly name: string;
  readonly message: string;
  /** SQLSTATE, or the code of a system error. */
  readonly code?: string;
  readonly stack?: string;
  /** The message of its cause. */
  readonly cause?: string;
}

const longestMessage = 2000;
const longestStack = 8000;

/** The report of whatever was thrown: bounded, and without what jsonb cannot keep. */
export function reportOf(error: unknown): ErrorReport {
  if (!(error instanceof Error)) return { name: typeof error, message: bounded(messageOf(error), longestMessage) };
  const code =
    "code" in error && (typeof error.code === "string" || typeof error.code === "number") ? error.code : undefined;
  return {
    name: bounded(error.name, 255),
    message: bounded(messageOf(error), longestMessage),
    ...(code !== undefined && { code: bounded(String(code), 255) }),
    ...(error.stack !== undefined && { stack: bounded(error.stack, longestStack) }),
    ...(error.cause !== undefined && { cause: bounded(messageOf(error.cause), longestMessage) }),
  };
}

function bounded(text: string, length: number): string {
  const kept = text.replaceAll("\0", "").toWellFormed();
  return kept.length <= length ? kept : `${kept.slice(0, length - 1).toWellFormed()}…`;
}
