import { createHash } from "node:crypto";
import { z } from "zod";
import type { DrainOptions, DrainResult } from "../consumers/drain.ts";
import type { ConsumerKind } from "../consumers/types.ts";
import type { Db } from "../db.ts";
import { drainHandler, type Handler } from "../handlers/index.ts";
import { drainRoute, type Route } from "../outbox/index.ts";
import { drainProjection, type Projection } from "../projections/index.ts";
import type { Transport } from "../transports/transport.ts";
import { createVersions } from "./versions.ts";

/** A shard that has work. */
export interface DueShard {
  readonly kind: ConsumerKind;
  readonly name: string;
  /** Name of the handler whose code it runs; of a projection its own, whatever the version; of a route its own. */
  readonly implementation: string;
  readonly shard: number;
  readonly shardCount: number;
}

/** What a process can run. */
export interface Runnable {
  /**
   * Tasks of graphile-worker: one for each handler, each transport and each projection in TypeScript, so that nobody takes
   * a job it has no code for; one for all projections in SQL, which everybody can advance.
   */
  readonly tasks: readonly string[];
  /** Task that runs a shard; undefined where this process has no code for it. */
  taskOf(due: DueShard): Promise<string | undefined>;
  drain(due: DueShard, options: DrainOptions): Promise<DrainResult>;
  /** Forgets where routes go, and what versions of projections there are. */
  forget(): void;
}

/** What a process has code for. */
export interface Code {
  readonly handlers: readonly Handler[];
  readonly projections: readonly Projection[];
  readonly routes: readonly Route[];
  readonly transports: readonly Transport[];
}

export function createRunnable(db: Db, { handlers, projections, routes, transports }: Code): Runnable {
  const projectionsByName = new Map(projections.map((projection) => [projection.name, projection]));
  const versions = createVersions(db);
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
      ...projections.filter(({ apply }) => apply === null).map(codeTask),
      sqlTask,
    ],
    async taskOf({ kind, name, implementation }) {
      if (kind === "projection") {
        const version = await versions.of(name);
        if (version?.takes !== "typescript") return version && sqlTask;
        const projection = projectionsByName.get(implementation);
        return projection?.revision === version.revision ? codeTask(projection) : undefined;
      }
      if (kind === "handler") return handlersByName.has(implementation) ? task("handler", implementation) : undefined;
      const transport = await transportOf(name);
      return transport === undefined ? undefined : task("transport", transport.name);
    },
    async drain({ kind, name, implementation, shard, shardCount }, options) {
      const of = { ...options, name, shard, shardCount };
      if (kind === "projection") {
        const isCode = (await versions.of(name))?.takes === "typescript";
        const projection = projectionsByName.get(implementation);
        const result = await drainProjection(db, isCode && projection !== undefined ? projection : name, of);
        // another version has come, or goes
        if (result.outcome === "stale" || name.includes("@")) versions.forget(name);
        return result;
      }
      if (kind === "handler") {
        const handler = handlersByName.get(implementation);
        if (handler === undefined) throw new Error(`there is no handler ${implementation} in this process`);
        return drainHandler(db, handler, of);
      }
      const transport = await transportOf(name);
      if (transport === undefined) throw new Error(`there is no transport for route ${name} in this process`);
      return drainRoute(db, routesByName.get(name) ?? { name }, transport, of);
    },
    forget() {
      known.clear();
      versions.forget();
    },
  };
}

const sqlTask = "daybook:projection";

/** Old and new code of a rolling deploy are different tasks. */
function codeTask({ name, revision }: Projection): string {
  return `daybook:projection:${name}:${revision}`;
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
