import { CommanderError } from "@commander-js/extra-typings";
import pg from "pg";
import { ConfigError } from "../config.ts";
import { EmbeddedServerError } from "../dev/embedded-server-error.ts";
import { DaybookError } from "../errors.ts";
import { isConnectionLoss } from "../retriable.ts";
import { exitCodes } from "./exit-codes.ts";
import { toJsonLine } from "./json.ts";

/** What is told of an error, and the exit code it ends with. */
export interface Failure {
  readonly exitCode: number;
  /** Null: it has been told. */
  readonly message: string | null;
  readonly hint?: string | undefined;
  readonly detail?: string | undefined;
}

/** Ends a command with a message and an exit code of its own. */
export class CommandError extends Error {
  override readonly name = "CommandError";
  readonly exitCode: number;
  readonly hint: string | undefined;

  constructor(exitCode: number, message: string, hint?: string, options?: ErrorOptions) {
    super(message, options);
    this.exitCode = exitCode;
    this.hint = hint;
  }
}

/** What to tell of whatever a command has thrown. Never a stack. */
export function describeFailure(error: unknown): Failure {
  if (error instanceof CommandError) return { exitCode: error.exitCode, message: error.message, hint: error.hint };
  if (error instanceof CommanderError) {
    return { exitCode: error.exitCode === 0 ? exitCodes.ok : exitCodes.usage, message: null };
  }
  if (error instanceof ConfigError) {
    return { exitCode: exitCodes.usage, message: error.message, hint: "Correct the variables of the environment." };
  }
  if (error instanceof EmbeddedServerError) {
    return { exitCode: exitCodes.unreachable, message: error.message, hint: error.hint };
  }
  if (isConnectionLoss(error)) {
    return { exitCode: exitCodes.unreachable, message: `the connection was lost: ${messageOf(error)}` };
  }
  if (error instanceof DaybookError) {
    const message = `${error.message} (${error.code})`;
    return { exitCode: exitCodes.refused, message, hint: error.hint, detail: detailOf(error) };
  }
  if (error instanceof pg.DatabaseError) return databaseFailure(error);
  return { exitCode: exitCodes.internal, message: messageOf(error), hint: "This should not happen: please report it." };
}

/** The message of an error; a host with several addresses fails with one error for each. */
export function messageOf(error: unknown): string {
  if (error instanceof AggregateError) return error.errors.map(messageOf).join("; ");
  return error instanceof Error ? error.message : String(error);
}

/** DETAIL as the server wrote it, or what took its place. */
function detailOf(error: DaybookError<unknown>): string | undefined {
  if (error.cause instanceof pg.DatabaseError && error.cause.detail) return error.cause.detail;
  const text = toJsonLine(error.detail);
  return text === "{}" ? undefined : text;
}

function databaseFailure(error: pg.DatabaseError): Failure {
  const { code = "", detail } = error;
  const hints: Readonly<Record<string, string>> = {
    "42501": "Ask the owner of the schema for one of the roles daybook_reader, _writer, _worker, _admin.",
    "42883": "The database may have an older version of Daybook: see daybook status.",
    "42P01": "The database may have an older version of Daybook: see daybook status.",
    "57014": "The statement was cancelled, or its timeout has passed.",
    "25006": "This is a standby, or the session is read-only: use the primary.",
  };
  const exitCode = exitCodeOf(code);
  return { exitCode, message: `${error.message} (${code})`, hint: error.hint ?? hints[code], detail };
}

function exitCodeOf(code: string): number {
  // who may not in, or has no place
  if (/^(28|3D000|53300)/.test(code)) return exitCodes.unreachable;
  // values that cannot be; what the server will not do now, or not for this role
  return /^[2345]/.test(code) ? exitCodes.refused : exitCodes.internal;
}

/** Whether the role lacks a right. */
export function isDenied(error: unknown): boolean {
  return error instanceof pg.DatabaseError && error.code === "42501";
}
