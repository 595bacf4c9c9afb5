import { z } from "zod";
import { callFunction, nothing } from "../consumers/call.ts";
import { names } from "../consumers/definition.ts";
import type { DbLike } from "../db.ts";
import { count, initialJson, parseReducer, reducerFields } from "./reducer-fields.ts";

/** A reducer in SQL: a name and a version for a function of the database. */
export interface SqlReducerDefinition {
  /** 1 to 255 characters, no dot among them. `fold` and snapshots know it by this name. */
  readonly name: string;
  /** `schema.function`, which takes `(state jsonb, event daybook.event)` and returns jsonb. */
  readonly function: string;
  /** Version of the logic, from 1, the default. Raise it with every change of the function or of `initial`. */
  readonly version?: number | undefined;
  /** State of a stream without events, as JSON. `{}` unless said otherwise. */
  readonly initial?: unknown;
  /** `take_snapshots`, and with it upkeep, saves the state of streams so many events behind the last one. None, unless said. */
  readonly snapshotEvery?: number | undefined;
  /** How many snapshots of a stream are kept, the newest ones. 3 unless said otherwise. */
  readonly keepSnapshots?: number | undefined;
  /** Categories of the streams that snapshots are taken of. All, unless said. */
  readonly categories?: readonly string[] | undefined;
}

const definition = z.strictObject({
  ...reducerFields,
  name: reducerFields.name.refine((name) => !name.includes("."), { error: "name has no dot: that names a function" }),
  function: z.string({ error: "function is a text: schema.function" }).regex(/.\../, {
    error: "function is schema.function",
  }),
  version: count("version", 2_147_483_647).default(1),
  initial: z
    .unknown()
    .transform((value, context) => {
      try {
        return initialJson(value);
      } catch (error) {
        context.addIssue(error instanceof Error ? error.message : String(error));
        return z.NEVER;
      }
    })
    .optional(),
  categories: names("categories").optional(),
});

/**
 * Makes a reducer in SQL, or brings it up to date: a higher version takes the place of a lower one, whose snapshots are not
 * used any more; a lower one (an old process in a rolling deploy) changes nothing.
 *
 * @returns whether it was made; false: there was one of that name
 * @throws InvalidReducerError, also where there is no such function; ReducerDiffersError where the same version is there with
 *   another function or initial state
 */
export async function createReducer(db: DbLike, reducer: SqlReducerDefinition): Promise<boolean> {
  const {
    name,
    function: called,
    version,
    initial,
    snapshotEvery,
    keepSnapshots,
    categories,
  } = parseReducer(definition, reducer);
  return callFunction(
    db,
    "create_reducer",
    {
      name: ["text", name],
      function: ["text", called],
      version: ["integer", version],
      snapshot_every: ["integer", snapshotEvery],
      initial: ["jsonb", initial],
      keep_snapshots: ["integer", keepSnapshots],
      categories: ["text[]", categories],
    },
    z.boolean(),
  );
}

/**
 * Drops a reducer in SQL, and its snapshots; its function stays.
 *
 * @param input.reason why, for whoever reads `daybook.audit`
 * @throws UnknownReducerError
 */
export function dropReducer(
  db: DbLike,
  { name, reason }: { readonly name: string; readonly reason?: string | undefined },
): Promise<void> {
  return callFunction(db, "drop_reducer", { name: ["text", name], reason: ["text", reason] }, nothing);
}
