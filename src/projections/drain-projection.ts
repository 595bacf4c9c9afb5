import { z } from "zod";
import { callFunction } from "../consumers/call.ts";
import { type DrainOptions, type DrainResult, drain } from "../consumers/drain.ts";
import { type Db, type DbLike, toDb } from "../db.ts";
import { UnknownConsumerError, UnknownProjectionError } from "../errors.ts";
import { advanceProjection, drainSql } from "./advance-projection.ts";
import { projectionSource, readVersion } from "./projection-source.ts";
import type { Projection } from "./projection-types.ts";
import { targetSource } from "./target-source.ts";
import { dropOthers, openTarget, TargetError } from "./target-tables.ts";
import { showVersion } from "./target-views.ts";

/**
 * Drains a projection: batches, each in one transaction with the move of its position, until there is nothing left, the
 * time is over, or it has to wait. A version that is being built and has caught up takes the live one's place. Workers do
 * this by themselves; it is there for tests and for programs that have a loop of their own.
 *
 * @param db a pool, or a connection that is in no transaction
 * @param projection its definition; the name alone is enough for one in SQL
 * @param options.name `<name>@<version>` for the version that is being built
 * @throws CheckpointAheadError; the driver's error where the connection is lost
 */
export async function drainProjection(
  db: DbLike,
  projection: Projection | string,
  options: DrainOptions = {},
): Promise<DrainResult> {
  const { name = typeof projection === "string" ? projection : projection.name } = options;
  try {
    if (typeof projection === "string" || projection.apply !== null) return await drainSql(db, name, options);
    return await drainCode(toDb(db), projection, name, options);
  } catch (error) {
    // switched to, replaced or dropped meanwhile
    if (error instanceof UnknownProjectionError || error instanceof UnknownConsumerError) return gone;
    throw error;
  }
}

const gone = { handled: 0, more: false, outcome: "dry" } as const;

async function drainCode(db: Db, projection: Projection, name: string, options: DrainOptions): Promise<DrainResult> {
  const { target } = projection;
  const source = target === null ? projectionSource(projection, name) : targetSource(projection, name, target);
  const of = { kind: "projection", name, shard: 0, shardCount: 1 } as const;
  try {
    const result = await drain(db, source, of, { ...options, maxBatch: options.maxBatch ?? projection.maxBatch });
    if (result.outcome !== "dry" || !name.includes("@")) return result;
    const { more } = await (target === null
      ? advanceProjection(db, { name })
      : switchThere(db, projection, name, target));
    return { ...result, more };
  } catch (error) {
    if (!(error instanceof TargetError)) throw error;
    const reason = `the database it writes to: ${error.message}`;
    await callFunction(
      db,
      "halt_consumer",
      { kind: ["text", "projection"], name: ["text", name], reason: ["text", reason] },
      z.boolean(),
    );
    return { handled: 0, more: false, outcome: "halted" };
  }
}

/**
 * Has readers of the other database see a version that has come to the end of the log, within the transaction in which it
 * takes the live one's place: nobody moves the live one on meanwhile, and so nobody is told of an event that the version
 * shown there has not got.
 */
async function switchThere(db: Db, projection: Projection, name: string, target: Db): Promise<{ more: boolean }> {
  const { shown, more } = await db.transaction(async (tx) => {
    const version = await readVersion(tx, name);
    if (version === undefined || version.revision !== projection.revision) return { shown: undefined, more: false };
    const { outcome, more } = await advanceProjection(tx, { name });
    if (outcome !== "switched") return { shown: undefined, more };
    await openTarget(target, projection, version);
    await showVersion(target, projection, version);
    return { shown: version.version, more };
  });
  // what somebody has open there goes with the next one
  if (shown !== undefined) await dropOthers(target, projection.name, [shown]).catch(() => undefined);
  return { more };
}
