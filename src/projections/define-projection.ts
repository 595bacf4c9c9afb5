import { z } from "zod";
import { callable, consumerFields, start, subscription } from "../consumers/definition.ts";
import { type DbLike, toDb } from "../db.ts";
import type { JsonObject } from "../store/json.ts";
import { parseProjection, projectionFields } from "./projection-fields.ts";
import type { Projection, ProjectionDefinition } from "./projection-types.ts";

const { tenantId, onFailure, retry, maxBatch } = consumerFields;

const schema = z
  .strictObject({
    ...projectionFields,
    tables: z
      .record(z.string(), z.string({ error: "tables are names and columns, as texts" }), {
        error: "tables are an object: name and columns of each",
      })
      .refine((tables) => Object.keys(tables).length > 0, { error: "tables are at least one" })
      .readonly(),
    setup: z.string({ error: "setup is a text of SQL" }).optional(),
    revision: z
      .int({ error: "revision is a whole number" })
      .min(0, { error: "revision is at least 0" })
      .max(2_147_483_647, { error: "revision is at most 2147483647" })
      .default(1),
    subscribesTo: subscription.prefault(["*"]),
    from: start.default("start"),
    tenantId,
    onFailure: onFailure.unwrap().default("halt"),
    retry,
    apply: z
      .string({ error: "apply is the name of a function: schema.function" })
      .regex(/.\../, { error: "apply is schema.function" })
      .optional(),
    serialize: z.boolean({ error: "serialize is true or false" }).default(false),
    maxBatch,
    batchByTenant: z.boolean({ error: "batchByTenant is true or false" }).default(true),
    target: z
      .custom<DbLike>((value) => value !== null && typeof value === "object", { error: "target is a database" })
      .optional(),
    handle: callable("handle").optional(),
    handleBatch: callable("handleBatch").optional(),
  })
  .refine((p) => [p.apply, p.handle, p.handleBatch].filter((code) => code !== undefined).length === 1, {
    error: "one of apply, handle and handleBatch is given",
  })
  .refine((p) => p.apply !== undefined || p.mode === "async", { error: "code in TypeScript cannot run inline" })
  .refine((p) => !p.serialize || p.mode === "inline", { error: "serialize is for inline projections" })
  .refine((p) => p.target === undefined || p.apply === undefined, {
    error: "an apply function writes to the store's database: target is for code in TypeScript",
  })
  .refine((p) => p.target === undefined || p.onFailure === "halt", {
    error: "with a target, failures halt it: what is parked or skipped is not known there",
  });

/**
 * Defines a projection: what turns events into rows.
 *
 * @throws InvalidProjectionError (YD602) that says every problem
 */
export function defineProjection<D = JsonObject>(definition: ProjectionDefinition<D>): Projection {
  const { subscribesTo, handle: _, handleBatch: __, target, ...rest } = parseProjection(schema, definition);
  // data is what the application says it is, here as everywhere it is read
  const { handle, handleBatch } = definition as ProjectionDefinition<unknown> as ProjectionDefinition;
  return Object.freeze({
    ...rest,
    ...subscribesTo,
    setup: rest.setup ?? null,
    apply: rest.apply ?? null,
    tenantId: rest.tenantId ?? null,
    target: target === undefined ? null : toDb(target),
    handle: handle?.bind(definition),
    handleBatch: handleBatch?.bind(definition),
  });
}
