import { createHash } from "node:crypto";
import { z } from "zod";
import type { DrainOptions, DrainResult } from "../consumers/drain.ts";
import type { Db } from "../db.ts";
import { drainHandler, type Handler } from "../handlers/index.ts";
import { drainRoute, type Route } from "../outbox/index.ts";
import type { Transport } from "../transports/transport.ts";

/** A shard that has work. */
export interface DueShard {
  readonly kind: "handler" | "route";
  readonly name: string;
  /** Name of the handler whose code it runs; of a route its own. */
  readonly implementation: string;
  readonly shard: number;
  readonly shardCount: number;
}

/** What a process can run. */
export interface Runnable {
  /** Tasks of graphile-worker: one for each handler and each transport, so that nobody takes a job it has no code for. */
  readonly tasks: readonly string[];
  /** Task that runs a shard; undefined where this process has no code for it. */
  taskOf(due: DueShard): Promise<string | undefined>;
  drain(due: DueShard, options: DrainOptions): Promise<DrainResult>;
  /** Forgets where routes go. */
  forget(): void;
}

export function createRunnable(
  db: Db,
  handlers: readonly Handler[],
  routes: readonly Route[],
  transports: readonly Transport[],
): Runnable {
  const handlersByName = new Map(handlers.map((handler) => [handler.name, handler]));
  const routesByName = new Map(routes.map((route) => [route.name, route]));
  const transportsByName = new Map(transports.map((transport) => [transport.name, transport]));
  let known = new Map<string, string>();

  async function transportOf(name: string): Promise<Transport | undefined> {
    let transport = known.get(name);
    if (transport === undefined) {
      known = await readTransports(db);
      transport = known.get(name);
    }
    return transport === undefined ? undefined : transportsByName.get(transport);
  }

  return {
    tasks: [
      ...handlers.map(({ name }) => task("handler", name)),
      ...transports.map(({ name }) => task("transport", name)),
    ],
    async taskOf({ kind, name, implementation }) {
      if (kind === "handler") return handlersByName.has(implementation) ? task("handler", implementation) : undefined;
      const transport = await transportOf(name);
      return transport === undefined ? undefined : task("transport", transport.name);
    },
    async drain({ kind, name, implementation, shard, shardCount }, options) {
      const of = { ...options, name, shard, shardCount };
      if (kind === "handler") {
        const handler = handlersByName.get(implementation);
        if (handler === undefined) throw new Error(`there is no handler ${implementation} in this process`);
        return drainHandler(db, handler, of);
      }
      const transport = await transportOf(name);
      if (transport === undefined) throw new Error(`there is no transport for route ${name} in this process`);
      return drainRoute(db, routesByName.get(name) ?? { name }, transport, of);
    },
    forget: () => known.clear(),
  };
}

const routeRows = z.array(z.object({ name: z.string(), transport: z.string() }));

async function readTransports(db: Db): Promise<Map<string, string>> {
  const rows = routeRows.parse(await db.query("select r.name, r.transport from daybook.routes r"));
  return new Map(rows.map(({ name, transport }) => [name, transport]));
}

/** Names of tasks are shorter than names of handlers may be. */
function task(kind: "handler" | "transport", name: string): string {
  const short = Buffer.byteLength(name) <= 90 ? name : createHash("sha256").update(name).digest("hex");
  return `daybook:${kind}:${short}`;
}
