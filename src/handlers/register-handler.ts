import { z } from "zod";
import { callFunction, milliseconds, startFrom } from "../consumers/call.ts";
import type { DbLike } from "../db.ts";
import type { Handler } from "./define-handler.ts";

/**
 * Makes a handler known to the database: its row and its position. One that is there already gets the definition (other
 * shards, another subscription), and keeps its position. Workers do this when they start.
 *
 * @returns true if it was made now
 * @throws InvalidConsumerError, CheckpointAheadError
 */
export async function registerHandler(db: DbLike, handler: Handler): Promise<boolean> {
  return callFunction(
    db,
    "create_handler",
    {
      name: ["text", handler.name],
      types: ["text[]", handler.types],
      categories: ["text[]", handler.categories],
      start_from: ["text", startFrom(handler.from)],
      shards: ["integer", handler.shards],
      on_failure: ["text", handler.onFailure],
      max_attempts: ["integer", handler.retry.attempts],
      base_delay: ["interval", milliseconds(handler.retry.baseDelay)],
      max_delay: ["interval", milliseconds(handler.retry.maxDelay)],
      tenant_id: ["text", handler.tenantId],
    },
    z.boolean(),
  );
}
