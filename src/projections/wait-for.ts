import { z } from "zod";
import { callFunction, milliseconds } from "../consumers/call.ts";
import { type Db, type DbLike, toDb } from "../db.ts";

/** What is waited for. */
export interface WaitInput {
  /** Name of the projection. */
  readonly projection: string;
  /** The `lastPosition` that an append has returned. */
  readonly position: bigint;
  /** Milliseconds. 5000 unless said otherwise. */
  readonly timeout?: number | undefined;
}

/**
 * Waits until a projection has come to a position: what is read afterwards has that event in it. At once for an inline one.
 *
 * @returns the position it has come to
 * @throws UnknownProjectionError, CheckpointAheadError; ProjectionTimeoutError when the time is over; WrongIsolationError in
 *   a transaction whose snapshot stays
 */
export function waitFor(db: DbLike, { projection, position, timeout = 5000 }: WaitInput): Promise<bigint> {
  return callFunction(
    db,
    "wait_for",
    {
      projection: ["text", projection],
      position: ["bigint", position],
      timeout: ["interval", milliseconds(timeout)],
    },
    z.bigint(),
  );
}

/**
 * Reads a projection that has at least an event in it, or times out: reading your own writes.
 *
 * @param read the read itself, once it is there
 * @throws as waitFor, and what `read` throws
 */
export async function readAtLeast<T>(db: DbLike, input: WaitInput, read: (db: Db) => Promise<T>): Promise<T> {
  await waitFor(db, input);
  return read(toDb(db));
}
