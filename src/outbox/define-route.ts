import { z } from "zod";
import { consumerFields, names, type OnFailure, parseDefinition, type Retry } from "../consumers/definition.ts";
import { isShortText } from "../store/text.ts";

/** A route as it is defined: which events go to which transport and topic, in which public shape. */
export interface RouteDefinition {
  /** Unique among routes, 1 to 255 characters. */
  readonly name: string;
  /** Name of the transport that the worker is given. */
  readonly transport: string;
  /** Topic within the transport; `{category}`, `{type}`, `{tenant}`, `{stream}` are filled in. `{category}` unless said otherwise. */
  readonly topic?: string | undefined;
  /** Only events of these types. All, unless said otherwise. */
  readonly types?: readonly string[] | undefined;
  /** Only events of these categories. All, unless said otherwise. */
  readonly categories?: readonly string[] | undefined;
  /** The one tenant whose events it sends. All, unless said otherwise. */
  readonly tenantId?: string | undefined;
  /** Name of the integration event; that of the domain event unless said otherwise. */
  readonly publicName?: string | undefined;
  /** Version of its public shape, from 1 (the default). */
  readonly publicVersion?: number | undefined;
  /**
   * SQL function that makes the public payload: `schema.function`, taking a `daybook.event`, returning jsonb (null = this
   * event is not sent). Without one the data goes as it is.
   */
  readonly mapping?: string | undefined;
  /** `shadow`: messages are written and counted, not sent. */
  readonly mode?: "on" | "shadow" | undefined;
  /** Takes what is published without a domain event (`publish`), and no events. */
  readonly direct?: boolean | undefined;
  /** Sends side by side, split by stream; can be changed at any time. 1 unless said otherwise. */
  readonly shards?: number | undefined;
  /** As with handlers; `park` unless said otherwise. */
  readonly onFailure?: OnFailure | undefined;
  readonly retry?: Retry | undefined;
  /** Messages handed to the transport at once, at most. 500 unless said otherwise. */
  readonly maxBatch?: number | undefined;
}

/** A route, checked. `defineRoute` makes it. */
export interface Route {
  readonly name: string;
  readonly transport: string;
  readonly topic: string;
  /** Null = all. */
  readonly types: readonly string[] | null;
  /** Null = all. */
  readonly categories: readonly string[] | null;
  /** Null = all. */
  readonly tenantId: string | null;
  /** Null = that of the event. */
  readonly publicName: string | null;
  readonly publicVersion: number;
  readonly mapping: string | null;
  readonly mode: "on" | "shadow";
  readonly direct: boolean;
  readonly shards: number;
  readonly onFailure: OnFailure;
  readonly retry: { readonly attempts: number; readonly baseDelay: number; readonly maxDelay: number };
  readonly maxBatch: number;
}

const shortText = (name: string) =>
  z.string({ error: `${name} is a text` }).refine(isShortText, { error: `${name} has 1 to 255 characters` });

const schema = z.strictObject({
  ...consumerFields,
  transport: shortText("transport"),
  topic: shortText("topic").default("{category}"),
  types: names("types").optional(),
  categories: names("categories").optional(),
  publicName: shortText("publicName").optional(),
  publicVersion: z
    .int({ error: "publicVersion is a whole number from 1" })
    .min(1, { error: "publicVersion is at least 1" })
    .max(2_147_483_647, { error: "publicVersion is at most 2147483647" })
    .default(1),
  mapping: shortText("mapping").optional(),
  mode: z.enum(["on", "shadow"], { error: "mode is on or shadow" }).default("on"),
  direct: z.boolean({ error: "direct is true or false" }).default(false),
});

/**
 * Defines a route: which events leave the database, and how.
 *
 * @throws InvalidConsumerError (YD502) that says every problem
 */
export function defineRoute(definition: RouteDefinition): Route {
  const { types, categories, tenantId, publicName, mapping, ...rest } = parseDefinition(schema, "route", definition);
  return Object.freeze({
    ...rest,
    types: types ?? null,
    categories: categories ?? null,
    tenantId: tenantId ?? null,
    publicName: publicName ?? null,
    mapping: mapping ?? null,
  });
}
