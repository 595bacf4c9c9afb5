import { z } from "zod";
import { InvalidArgumentError, InvalidEventError, InvalidReducerError } from "../errors.ts";
import { isName } from "../store/text.ts";
import { toJson } from "../store/to-json.ts";

/* What reducers in TypeScript and in SQL have in common when they are defined. */

/** A whole number from 1. */
export const count = (name: string, most: number) =>
  z
    .int({ error: `${name} is a whole number` })
    .min(1, { error: `${name} is at least 1` })
    .max(most, { error: `${name} is at most ${most}` });

/** The fields that mean the same for both. */
export const reducerFields = {
  name: z
    .string({ error: "name is a text of 1 to 255 characters" })
    .refine(isName, { error: "name has 1 to 255 characters, none of them a control character" }),
  snapshotEvery: count("snapshotEvery", 2_147_483_647).optional(),
  keepSnapshots: count("keepSnapshots", 1000).default(3),
};

/**
 * Parses the definition of a reducer.
 *
 * @throws InvalidReducerError (YD611) that says every problem
 */
export function parseReducer<S extends z.ZodType>(schema: S, definition: unknown): z.output<S> {
  const parsed = schema.safeParse(definition);
  if (parsed.success) return parsed.data;
  const name = z.object({ name: z.string() }).safeParse(definition).data?.name ?? null;
  const problems = parsed.error.issues.map((issue) =>
    issue.code === "unrecognized_keys" ? `unknown keys ${issue.keys.join(", ")}` : issue.message,
  );
  throw new InvalidReducerError(`reducer ${name ?? ""}: ${problems.join("; ")}`.replace(" :", ":"), {
    detail: { reducer: name, problems },
    hint: "A reducer is defined as docs/state.md says.",
  });
}

/**
 * The state of a stream without events, as text.
 *
 * @throws InvalidArgumentError with the path to what JSON cannot say
 */
export function initialJson(initial: unknown): string {
  try {
    return toJson(initial, 0, "initial");
  } catch (cause) {
    if (!(cause instanceof InvalidEventError)) throw cause;
    const detail = { argument: "initial" };
    throw new InvalidArgumentError(`${cause.detail.problem}; it is a JSON value`, { detail, cause });
  }
}
