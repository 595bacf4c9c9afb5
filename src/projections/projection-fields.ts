import { z } from "zod";
import { problemOf } from "../consumers/definition.ts";
import { InvalidProjectionError } from "../errors.ts";

/** What projections of every kind have in common when they are defined. */
export const projectionFields = {
  name: z.string({ error: "name is a text" }).regex(/^[a-z][a-z0-9_-]{0,39}$/, {
    error: "name has 1 to 40 lower-case letters, digits, _ and -, a letter first",
  }),
  mode: z.enum(["async", "inline"], { error: "mode is async or inline" }).default("async"),
  schema: z.string({ error: "schema is a name" }).default("daybook_projections"),
};

/**
 * Parses the definition of a projection.
 *
 * @throws InvalidProjectionError (YD602) that says every problem
 */
export function parseProjection<S extends z.ZodType>(schema: S, definition: unknown): z.output<S> {
  const parsed = schema.safeParse(definition);
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map(problemOf);
  const name = z.object({ name: z.string() }).safeParse(definition).data?.name ?? null;
  throw new InvalidProjectionError(`projection${name === null ? "" : ` ${name}`}: ${problems.join("; ")}`, {
    detail: { projection: name, problems },
    hint: "A projection is defined as docs/projections.md says.",
  });
}
