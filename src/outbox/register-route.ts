import { z } from "zod";
import { callFunction, milliseconds } from "../consumers/call.ts";
import type { DbLike } from "../db.ts";
import type { Route } from "./define-route.ts";

/**
 * Makes a route known to the database. From then on the events it wants are put into the outbox by the transactions that
 * append them. One that is there already gets the definition, and keeps its position.
 *
 * @returns true if it was made now
 * @throws InvalidConsumerError, InvalidMappingError
 */
export async function registerRoute(db: DbLike, route: Route): Promise<boolean> {
  return callFunction(
    db,
    "create_route",
    {
      name: ["text", route.name],
      transport: ["text", route.transport],
      topic: ["text", route.topic],
      types: ["text[]", route.types],
      categories: ["text[]", route.categories],
      public_name: ["text", route.publicName],
      public_version: ["integer", route.publicVersion],
      mapping: ["text", route.mapping],
      mode: ["text", route.mode],
      shards: ["integer", route.shards],
      on_failure: ["text", route.onFailure],
      max_attempts: ["integer", route.retry.attempts],
      base_delay: ["interval", milliseconds(route.retry.baseDelay)],
      max_delay: ["interval", milliseconds(route.retry.maxDelay)],
      direct: ["boolean", route.direct],
      tenant_id: ["text", route.tenantId],
    },
    z.boolean(),
  );
}
