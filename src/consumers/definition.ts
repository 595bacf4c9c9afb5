import { z } from "zod";
import { InvalidConsumerError } from "../errors.ts";
import { isName, isShortText } from "../store/text.ts";

/*
 * What handlers and routes have in common when they are defined. SQL checks the same again: this side says it earlier,
 * and in the words of this side.
 */

/** What happens when a message has used up its tries, or (park) when it fails: `halt`, `park` or `skip`. */
export type OnFailure = z.output<typeof onFailure>;

const onFailure = z.enum(["halt", "park", "skip"], { error: "onFailure is halt, park or skip" });

const delay = (name: string) =>
  z
    .int({ error: `${name} is a whole number of milliseconds` })
    .min(1, { error: `${name} is at least 1 ms` })
    .max(2_147_483_647, { error: `${name} is at most 24 days` });

const retry = z
  .strictObject({
    attempts: z
      .int({ error: "attempts is a whole number" })
      .min(1, { error: "attempts is at least 1" })
      .max(1000, { error: "attempts is at most 1000" })
      .default(5),
    baseDelay: delay("baseDelay").default(1000),
    maxDelay: delay("maxDelay").default(300_000),
  })
  .refine(({ baseDelay, maxDelay }) => baseDelay <= maxDelay, { error: "baseDelay is not longer than maxDelay" });

/** How a failed message is tried again. */
export interface Retry {
  /** Tries of a message before a person is needed. 5 unless said otherwise. */
  readonly attempts?: number | undefined;
  /** Milliseconds before the second try; it doubles with each, and varies by a fifth. 1000 unless said otherwise. */
  readonly baseDelay?: number | undefined;
  /** The longest delay, in milliseconds. Five minutes unless said otherwise. */
  readonly maxDelay?: number | undefined;
}

/** The fields of a definition that handlers and routes share. */
export const consumerFields = {
  name: z
    .string({ error: "name is a text of 1 to 255 characters" })
    .refine(isName, { error: "name has 1 to 255 characters, none of them a control character" }),
  shards: z
    .int({ error: "shards is a whole number from 1 to 128" })
    .min(1, { error: "shards is at least 1" })
    .max(128, { error: "shards is at most 128" })
    .default(1),
  tenantId: z
    .string({ error: "tenantId is the name of a tenant" })
    .refine((text) => isName(text) && text !== "*", {
      error: "tenantId is the name of one tenant; leave it out for all",
    })
    .optional(),
  onFailure: onFailure.default("park"),
  retry: retry.prefault({}),
  maxBatch: z
    .int({ error: "maxBatch is a whole number" })
    .min(1, { error: "maxBatch is at least 1" })
    .max(10_000, { error: "maxBatch is at most 10000" })
    .default(500),
};

/** Names of types or of categories: at least one. */
export const names = (what: string) =>
  z
    .array(
      z.string({ error: `${what} are texts` }).refine(isShortText, { error: `${what} have 1 to 255 characters` }),
      {
        error: `${what} are an array of texts`,
      },
    )
    .min(1, { error: `${what} are at least one; leave them out for all` })
    .readonly();

/** Which events are followed, as handlers and projections say it. */
export const subscription = z
  .union(
    [
      z.tuple([z.literal("*")]).transform(() => ({ types: null, categories: null })),
      names("types").transform((types) => ({ types, categories: null })),
      z
        .strictObject({ categories: names("categories"), types: names("types").optional() })
        .transform(({ categories, types }) => ({ categories, types: types ?? null })),
    ],
    { error: 'subscribesTo is ["*"], types such as ["OrderPlaced"], or { categories: ["order"], types? }' },
  )
  .refine(({ types }) => types === null || !types.includes("*"), {
    error: 'subscribesTo: "*" stands alone, as ["*"]',
  });

/** Where something new begins. */
export const start = z.union(
  [
    z.enum(["start", "now"]),
    z
      .bigint()
      .min(0n, { error: "from is a position from 0" })
      .max(9_223_372_036_854_775_807n, { error: "from is a position" }),
    z.date(),
  ],
  { error: 'from is "start", "now", a position (a bigint) or a Date' },
);

/** A function of the application. */
export const callable = (name: string) =>
  z.custom<(...args: never) => unknown>((value) => typeof value === "function", { error: `${name} is a function` });

/**
 * Parses a definition.
 *
 * @param what handler or route, for the error
 * @throws InvalidConsumerError that says every problem
 */
export function parseDefinition<S extends z.ZodType>(schema: S, what: string, input: unknown): z.output<S> {
  const parsed = schema.safeParse(input);
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map(problemOf);
  const name = z.object({ name: z.string() }).safeParse(input).data?.name;
  throw new InvalidConsumerError(`${what}${name === undefined ? "" : ` ${name}`}: ${problems.join("; ")}`, {
    detail: { kind: what, name: name ?? null, problems },
    hint: `A ${what} is defined as docs/${what === "route" ? "outbox" : "handlers"}.md says.`,
  });
}

/** What is wrong, in words. */
export function problemOf(issue: z.core.$ZodIssue): string {
  const path = issue.path.join(".");
  if (issue.code === "unrecognized_keys")
    return `unknown keys ${[path, issue.keys.join(", ")].filter(Boolean).join(": ")}`;
  return issue.message.startsWith(path.split(".").at(-1) ?? "") ? issue.message : `${path}: ${issue.message}`;
}
