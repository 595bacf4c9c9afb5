import { type DrainOptions, type DrainResult, drain } from "../consumers/drain.ts";
import { type DbLike, toDb } from "../db.ts";
import type { Transport } from "../transports/transport.ts";
import type { Route } from "./define-route.ts";
import { routeSource } from "./route-source.ts";

/** How a shard of a route is drained. */
export interface DrainRouteOptions extends DrainOptions {
  /** Milliseconds the transport has for a batch; what has no answer then is sent again. 30,000 unless said otherwise. */
  readonly sendTimeout?: number | undefined;
}

/**
 * Drains a shard of a route: hands its messages to a transport, batch by batch, until there is nothing left, the time is
 * over, or it has to wait. Each batch is sent within the transaction that holds the shard, so that first deliveries stay
 * in order; a message is sent again where that transaction fails, always with the same id.
 *
 * @param db a pool, or a connection that is in no transaction
 * @throws CheckpointAheadError, UnknownConsumerError; the driver's error where the connection is lost
 */
export async function drainRoute(
  db: DbLike,
  route: Pick<Route, "name"> & Partial<Pick<Route, "maxBatch">>,
  transport: Transport,
  options: DrainRouteOptions = {},
): Promise<DrainResult> {
  const { name = route.name, shard = 0, shardCount = 1, maxBatch = route.maxBatch ?? 500 } = options;
  const of = { kind: "route", name, shard, shardCount } as const;
  return drain(toDb(db), routeSource(transport, options.sendTimeout ?? 30_000), of, { ...options, maxBatch });
}
