import { z } from "zod";
import type { DbLike } from "../db.ts";
import { callFunction, nothing } from "./call.ts";
import type { ConsumerKind } from "./types.ts";

/** Which dead letters: all that match what is given. */
export interface DeadLetterFilter {
  readonly kind?: ConsumerKind | undefined;
  /** Name of the handler, projection or route. */
  readonly name?: string | undefined;
  /** Type of the event or message. */
  readonly type?: string | undefined;
  readonly streamId?: string | undefined;
}

/**
 * Has a parked stream tried again at once, and not when its delay is over; its tries count on.
 *
 * @throws UnknownDeadLetterError where it is not parked, or waits for its dead letter
 */
export function retryParked(
  db: DbLike,
  input: {
    readonly kind: "handler" | "route";
    /** Name of the handler or route. */
    readonly name: string;
    readonly streamId: string;
    /** Default: the tenant the session is narrowed to, or `default`. */
    readonly tenantId?: string | undefined;
  },
): Promise<void> {
  const { kind, name, streamId, tenantId } = input;
  const args = { kind, name, stream_id: streamId, tenant_id: tenantId };
  const typed = Object.fromEntries(Object.entries(args).map(([key, value]) => [key, ["text", value] as const]));
  return callFunction(db, "retry_parked", typed, nothing);
}

/**
 * Has a dead letter tried again, at once and with all its tries.
 *
 * @throws UnknownDeadLetterError
 */
export function retryDeadLetter(db: DbLike, { deadLetter }: { readonly deadLetter: bigint }): Promise<void> {
  return callFunction(db, "retry_dead_letter", { dead_letter: ["bigint", deadLetter] }, nothing);
}

/** Has all dead letters that match tried again; gives how many. */
export async function retryDeadLetters(db: DbLike, filter: DeadLetterFilter = {}): Promise<number> {
  return callFunction(db, "retry_dead_letters", filterArguments(filter), z.coerce.number());
}

/**
 * Gives a dead letter up: its stream goes on behind it.
 *
 * @throws UnknownDeadLetterError, ReasonMissingError
 */
export function discardDeadLetter(
  db: DbLike,
  { deadLetter, reason }: { readonly deadLetter: bigint; readonly reason: string },
): Promise<void> {
  const args = { dead_letter: ["bigint", deadLetter], reason: ["text", reason] } as const;
  return callFunction(db, "discard_dead_letter", args, nothing);
}

/**
 * Gives all dead letters of a consumer that match up; gives how many.
 *
 * @throws ReasonMissingError
 */
export async function discardDeadLetters(
  db: DbLike,
  input: DeadLetterFilter & { readonly kind: ConsumerKind; readonly name: string; readonly reason: string },
): Promise<number> {
  const args = { ...filterArguments(input), reason: ["text", input.reason] } as const;
  return callFunction(db, "discard_dead_letters", args, z.coerce.number());
}

function filterArguments({ kind, name, type, streamId }: DeadLetterFilter) {
  return { kind: ["text", kind], name: ["text", name], type: ["text", type], stream_id: ["text", streamId] } as const;
}
