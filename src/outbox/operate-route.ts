import { z } from "zod";
import { callFunction, nothing, startFrom } from "../consumers/call.ts";
import type { DbLike } from "../db.ts";

interface Named {
  /** Name of the route. */
  readonly name: string;
}

/**
 * Pauses a route: messages are written and not sent. When it returns, nothing more of it is being sent.
 *
 * @throws UnknownConsumerError
 */
export function pauseRoute(
  db: DbLike,
  { name, reason }: Named & { readonly reason?: string | undefined },
): Promise<void> {
  return callFunction(db, "pause_route", { name: ["text", name], reason: ["text", reason] }, nothing);
}

/**
 * Lets a route that is paused or halted go on. One that waits because its transport took nothing tries at once.
 *
 * @throws UnknownConsumerError
 */
export function resumeRoute(db: DbLike, { name }: Named): Promise<void> {
  return callFunction(db, "resume_route", { name: ["text", name] }, nothing);
}

/**
 * Sets the position of a route: what lies behind it, and is still in the outbox, is sent again.
 *
 * @returns the position
 * @throws UnknownConsumerError
 */
export function resetRoute(
  db: DbLike,
  input: Named & { readonly from?: "start" | "now" | bigint | Date | undefined; readonly reason?: string | undefined },
): Promise<bigint> {
  const { name, from, reason } = input;
  const args = { name: ["text", name], start_from: ["text", startFrom(from)], reason: ["text", reason] } as const;
  return callFunction(db, "reset_route", args, z.bigint());
}

/**
 * Removes a route, and its messages that were not delivered.
 *
 * @throws UnknownConsumerError, ReasonMissingError
 */
export function dropRoute(db: DbLike, { name, reason }: Named & { readonly reason: string }): Promise<void> {
  return callFunction(db, "drop_route", { name: ["text", name], reason: ["text", reason] }, nothing);
}
