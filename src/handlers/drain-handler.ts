import { type DrainOptions, type DrainResult, drain } from "../consumers/drain.ts";
import { type DbLike, toDb } from "../db.ts";
import type { Handler } from "./define-handler.ts";
import { handlerSource } from "./handler-source.ts";

/**
 * Drains a shard of a handler: batches, each in one transaction with the move of its position, until there is nothing
 * left, the time is over, or it has to wait. Workers do this by themselves; it is there for tests and for programs that
 * have a loop of their own.
 *
 * @param db a pool, or a connection that is in no transaction
 * @throws CheckpointAheadError, UnknownConsumerError; the driver's error where the connection is lost
 */
export async function drainHandler(db: DbLike, handler: Handler, options: DrainOptions = {}): Promise<DrainResult> {
  const { name = handler.name, shard = 0, shardCount = 1, maxBatch = handler.maxBatch } = options;
  const of = { kind: "handler", name, shard, shardCount } as const;
  return drain(toDb(db), handlerSource(handler, name), of, { ...options, maxBatch });
}
