import { z } from "zod";
import { callFunction, nothing } from "../consumers/call.ts";
import { type DbLike, toDb } from "../db.ts";
import { forgetTarget } from "./target-tables.ts";

interface Named {
  /** Name of the projection; `<name>@<version>` for the version that is being built. */
  readonly name: string;
}

interface WithReason extends Named {
  /** Why, for whoever reads `daybook.audit`. */
  readonly reason?: string | undefined;
}

/**
 * Pauses a projection. When it returns, nothing more of it is being written; an inline one follows no longer.
 *
 * @throws UnknownProjectionError
 */
export function pauseProjection(db: DbLike, { name, reason }: WithReason): Promise<void> {
  return callFunction(db, "pause_projection", { name: ["text", name], reason: ["text", reason] }, nothing);
}

/**
 * Lets a projection that is paused or halted go on. An inline one catches up first.
 *
 * @throws UnknownProjectionError
 */
export function resumeProjection(db: DbLike, { name }: Named): Promise<void> {
  return callFunction(db, "resume_projection", { name: ["text", name] }, nothing);
}

/**
 * Empties the tables of a projection and has it begin again: readers see it fill.
 *
 * @returns the position it begins at
 * @throws UnknownProjectionError
 */
export function resetProjection(db: DbLike, { name, reason }: WithReason): Promise<bigint> {
  return callFunction(db, "reset_projection", { name: ["text", name], reason: ["text", reason] }, z.bigint());
}

/**
 * Removes a projection: its tables, its views, its position. Stop the workers that have it in their code first, or they
 * make it again.
 *
 * @param input.cascade remove what rests on the views too; false unless said otherwise
 * @param input.target the database of its tables, where that is another one
 * @throws UnknownProjectionError, ProjectionHasDependantsError
 */
export async function dropProjection(
  db: DbLike,
  input: WithReason & { readonly cascade?: boolean | undefined; readonly target?: DbLike | undefined },
): Promise<void> {
  const { name, reason, cascade, target } = input;
  const args = { name: ["text", name], reason: ["text", reason], cascade: ["boolean", cascade] } as const;
  await callFunction(db, "drop_projection", args, nothing);
  if (target !== undefined) await forgetTarget(toDb(target), name, cascade ?? false);
}

/**
 * Gives up the version that is being built; the live one stays as it is.
 *
 * @returns false if none was being built
 * @throws UnknownProjectionError
 */
export function dropRebuild(db: DbLike, { name, reason }: WithReason): Promise<boolean> {
  return callFunction(db, "drop_rebuild", { name: ["text", name], reason: ["text", reason] }, z.boolean());
}
