import { z } from "zod";
import { callFunction } from "../consumers/call.ts";
import type { DbLike } from "../db.ts";

/** What a new version has that the live one has not; what is not given stays as it is. */
export interface Replacement {
  /** Name of the projection. */
  readonly name: string;
  /** `schema.function`. It is taken as it is now, where it is not given too. */
  readonly apply?: string | undefined;
  readonly tables?: Readonly<Record<string, string>> | undefined;
  readonly mode?: "async" | "inline" | undefined;
  /** None = all. */
  readonly types?: readonly string[] | undefined;
  /** None = all. */
  readonly categories?: readonly string[] | undefined;
  /** Empty = none. */
  readonly setup?: string | undefined;
  readonly revision?: number | undefined;
  readonly serialize?: boolean | undefined;
}

/**
 * Builds a new version of a projection beside the live one, which readers go on reading. Once it has caught up it takes the
 * live one's place.
 *
 * @returns the number of the new version
 * @throws UnknownProjectionError, InvalidProjectionError, RebuildUnderWayError; ProjectionHasDependantsError where what
 *   rests on the views would break
 */
export function replaceProjection(db: DbLike, replacement: Replacement): Promise<number> {
  const { name, apply, tables, mode, types, categories, setup, revision, serialize } = replacement;
  return callFunction(
    db,
    "replace_projection",
    {
      name: ["text", name],
      apply: ["text", apply],
      tables: ["jsonb", tables],
      mode: ["text", mode],
      types: ["text[]", types],
      categories: ["text[]", categories],
      setup: ["text", setup],
      revision: ["integer", revision],
      serialize: ["boolean", serialize],
    },
    z.int(),
  );
}

/**
 * Builds a projection anew from the log, beside the live version; its apply function is taken as it is now.
 *
 * @returns the number of the new version
 * @throws UnknownProjectionError, RebuildUnderWayError
 */
export function rebuildProjection(db: DbLike, { name }: { readonly name: string }): Promise<number> {
  return callFunction(db, "rebuild_projection", { name: ["text", name] }, z.int());
}
