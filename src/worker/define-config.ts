import { z } from "zod";
import type { Handler } from "../handlers/index.ts";
import type { Route } from "../outbox/index.ts";
import type { Projection } from "../projections/index.ts";
import type { Transport } from "../transports/transport.ts";
import type { WorkerOptions } from "./options.ts";

/** What `daybook worker` runs: the default export of its configuration file. The database is that of the command line. */
export type WorkerConfig = Omit<WorkerOptions, "db" | "directUrl" | "signal">;

/** The configuration of `daybook worker`, or what makes it when the worker starts. */
export type WorkerConfigSource = WorkerConfig | (() => WorkerConfig | Promise<WorkerConfig>);

/** Gives a configuration its type: `export default defineConfig({ handlers: [...] })`. */
export function defineConfig(config: WorkerConfigSource): WorkerConfigSource {
  return config;
}

const made = <T>(what: string, by: string, methods: readonly string[]) =>
  z
    .array(
      z.custom<T>(
        (value) =>
          typeof value === "object" &&
          value !== null &&
          "name" in value &&
          typeof value.name === "string" &&
          methods.some((method) => method in value),
        { error: `${what} has what ${by} has not made` },
      ),
      { error: `${what} is an array` },
    )
    .optional();

const schema = z.strictObject({
  handlers: made<Handler>("handlers", "defineHandler", ["handle", "handleBatch"]),
  projections: made<Projection>("projections", "defineProjection", ["tables"]),
  routes: made<Route>("routes", "defineRoute", ["transport"]),
  transports: made<Transport>("transports", "a transport's function", ["send"]),
  concurrency: z.number().optional(),
  safetyPoll: z.number().optional(),
  stopTimeout: z.number().optional(),
  statementTimeout: z.number().optional(),
  upkeep: z.union([z.string(), z.literal(false)]).optional(),
  jobSchema: z.string().optional(),
  prepare: z.boolean().optional(),
  onEvent: z
    .custom<NonNullable<WorkerOptions["onEvent"]>>((value) => typeof value === "function", {
      error: "onEvent is a function",
    })
    .optional(),
});

/**
 * The configuration that a module exports.
 *
 * @throws TypeError that says every problem
 */
export async function parseConfig(exported: unknown): Promise<WorkerConfig> {
  const config: unknown = typeof exported === "function" ? await exported() : exported;
  const parsed = schema.safeParse(config);
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map(({ path, message }) =>
    path.length === 0 ? message : `${path.join(".")}: ${message}`,
  );
  throw new TypeError(problems.join("; "));
}
