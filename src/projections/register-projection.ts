import { z } from "zod";
import { callFunction, milliseconds, startFrom } from "../consumers/call.ts";
import { type DbLike, toDb } from "../db.ts";
import { ProjectionDiffersError, RebuildUnderWayError } from "../errors.ts";
import { dropRebuild } from "./operate-projection.ts";
import type { Projection } from "./projection-types.ts";
import { replaceProjection } from "./replace-projection.ts";

/**
 * What came of it. `created`: it is new; `replacing`: its revision is higher than that of the live one, and it is being
 * built beside it; `there`: the same, or a higher revision, is there already.
 */
export type Registration = "created" | "replacing" | "there";

/**
 * Makes a projection known to the database: its tables, its views and its position. A higher revision than what is there
 * is built beside it; a lower one (an old process in a rolling deploy) leaves all as it is. How failures are met is
 * brought up to date. Workers do this when they start.
 *
 * @throws InvalidProjectionError; ProjectionDiffersError where the same revision is there with another definition
 */
export async function registerProjection(db: DbLike, projection: Projection): Promise<Registration> {
  const { name, revision } = projection;
  for (let attempt = 1; ; attempt += 1) {
    try {
      return (await create(db, projection)) ? "created" : "there";
    } catch (error) {
      if (!(error instanceof ProjectionDiffersError) || error.detail.revision >= revision) throw error;
    }
    try {
      await replaceProjection(db, definitionOf(projection));
      return "replacing";
    } catch (error) {
      if (!(error instanceof RebuildUnderWayError) || attempt === most) throw error;
      // by another process, at this very moment; or it is older, and would be replaced at once
      if (await buildsOlder(db, projection)) await dropRebuild(db, { name, reason: `revision ${revision} has come` });
    }
  }
}

/** How often it is begun again where other processes register the same one. */
const most = 10;

async function buildsOlder(db: DbLike, { name, revision }: Projection): Promise<boolean> {
  const rows = await toDb(db).query(
    `select from daybook.projection_versions v
      where v.name = $1::text and v.stage = 'building' and v.revision < $2::integer`,
    [name, revision],
  );
  return rows.length > 0;
}

function create(db: DbLike, projection: Projection): Promise<boolean> {
  const { retry } = projection;
  const { tables, setup } = tablesOf(projection);
  return callFunction(
    db,
    "create_projection",
    {
      name: ["text", projection.name],
      apply: ["text", projection.apply],
      tables: ["jsonb", tables],
      mode: ["text", projection.mode],
      types: ["text[]", projection.types],
      categories: ["text[]", projection.categories],
      start_from: ["text", startFrom(projection.from)],
      on_failure: ["text", projection.onFailure],
      max_attempts: ["integer", retry.attempts],
      base_delay: ["interval", milliseconds(retry.baseDelay)],
      max_delay: ["interval", milliseconds(retry.maxDelay)],
      setup: ["text", setup],
      schema: ["text", projection.schema],
      serialize: ["boolean", projection.serialize],
      revision: ["integer", projection.revision],
      tenant_id: ["text", projection.tenantId],
    },
    z.boolean(),
  );
}

function definitionOf(projection: Projection) {
  const { name, apply, mode, types, categories, revision, serialize } = projection;
  const { tables, setup } = tablesOf(projection);
  return {
    name,
    apply: apply ?? undefined,
    mode,
    types: types ?? [],
    categories: categories ?? [],
    revision,
    serialize,
    tables,
    setup: setup ?? "",
  };
}

/** What is made in the store's database: nothing, where its tables are in another one. */
function tablesOf({ target, tables, setup }: Projection) {
  return target === null ? { tables, setup } : { tables: {}, setup: null };
}
