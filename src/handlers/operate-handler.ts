import { z } from "zod";
import { callFunction, nothing, startFrom } from "../consumers/call.ts";
import type { DbLike } from "../db.ts";
import type { StartFrom } from "./define-handler.ts";

interface Named {
  /** Name of the handler. */
  readonly name: string;
}

interface WithReason extends Named {
  /** Why, for whoever reads `daybook.audit`. */
  readonly reason?: string | undefined;
}

/**
 * Position that all shards of a handler have come to.
 *
 * @throws UnknownConsumerError
 */
export function handlerPosition(db: DbLike, { name }: Named): Promise<bigint> {
  return callFunction(db, "handler_position", { name: ["text", name] }, z.bigint());
}

/**
 * Pauses a handler. When it returns, nothing more of it is being handled.
 *
 * @throws UnknownConsumerError
 */
export function pauseHandler(db: DbLike, { name, reason }: WithReason): Promise<void> {
  return callFunction(db, "pause_handler", { name: ["text", name], reason: ["text", reason] }, nothing);
}

/**
 * Lets a handler that is paused or halted go on.
 *
 * @throws UnknownConsumerError
 */
export function resumeHandler(db: DbLike, { name }: Named): Promise<void> {
  return callFunction(db, "resume_handler", { name: ["text", name] }, nothing);
}

/**
 * Sets the position of a handler, back as a rule: it handles what lies behind it again. Its parked streams go, its open
 * dead letters are discarded.
 *
 * @param input.from `"start"` unless said otherwise
 * @returns the position
 * @throws UnknownConsumerError
 */
export function resetHandler(
  db: DbLike,
  input: WithReason & { readonly from?: StartFrom | undefined },
): Promise<bigint> {
  const { name, from, reason } = input;
  const args = { name: ["text", name], start_from: ["text", startFrom(from)], reason: ["text", reason] } as const;
  return callFunction(db, "reset_handler", args, z.bigint());
}

/**
 * Moves a handler on, past events it is not to handle.
 *
 * @returns the position
 * @throws UnknownConsumerError, ReasonMissingError
 */
export function advanceHandler(
  db: DbLike,
  { name, position, reason }: Named & { readonly position: bigint; readonly reason: string },
): Promise<bigint> {
  const args = { name: ["text", name], position: ["bigint", position], reason: ["text", reason] } as const;
  return callFunction(db, "advance_handler", args, z.bigint());
}

/**
 * Starts a replay: the same code under a name of its own, from another position, beside the handler itself. The code
 * tells by `context.handler` which of them it runs for.
 *
 * @returns the position it begins at
 * @throws UnknownConsumerError, InvalidConsumerError
 */
export function replayHandler(
  db: DbLike,
  { name, from, as }: Named & { readonly from: StartFrom; readonly as: string },
): Promise<bigint> {
  const args = { name: ["text", name], start_from: ["text", startFrom(from)], replay_as: ["text", as] } as const;
  return callFunction(db, "replay_handler", args, z.bigint());
}

/**
 * Removes a handler and its position. Stop the workers that have it in their code first, or they make it again.
 *
 * @throws UnknownConsumerError
 */
export function dropHandler(db: DbLike, { name, reason }: WithReason): Promise<void> {
  return callFunction(db, "drop_handler", { name: ["text", name], reason: ["text", reason] }, nothing);
}
