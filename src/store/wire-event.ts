import { z } from "zod";
import { InvalidEventError } from "../errors.ts";
import { isShortText, isText } from "./text.ts";
import { toJson } from "./to-json.ts";

/** An event as it is sent: checked, its payloads written as JSON once. */
export interface WireEvent {
  readonly type: string;
  readonly data: string;
  readonly metadata: string;
  readonly eventId: string | undefined;
  readonly schemaVersion: number | undefined;
  readonly occurredAt: string | undefined;
  readonly tags: readonly string[] | undefined;
  readonly correlationId: string | undefined;
  readonly causationId: string | undefined;
}

const uuid = (name: string) => z.guid({ error: `${name} is a UUID` }).optional();

/** The same rules as daybook._event_problem, in the words of this side. */
const schema = z.strictObject(
  {
    type: z.string({ error: "type is a text of 1 to 255 characters" }).refine(isShortText, {
      error: "type is a text of 1 to 255 characters, without \\u0000 and half surrogate pairs",
    }),
    data: z.unknown().optional(),
    metadata: z.unknown().optional(),
    eventId: uuid("eventId"),
    schemaVersion: z
      .int({ error: "schemaVersion is a whole number from 1" })
      .min(1, { error: "schemaVersion is a whole number from 1" })
      .max(2147483647, { error: "schemaVersion is a whole number up to 2147483647" })
      .optional(),
    occurredAt: z
      .date({ error: "occurredAt is a valid Date" })
      .refine(isStorable, { error: "occurredAt lies in the years 1 to 9999" })
      .optional(),
    tags: z
      .array(
        z.string({ error: "a tag is a text" }).refine((tag) => tag !== "" && isText(tag), {
          error: "a tag is a text that is not empty, without \\u0000 and half surrogate pairs",
        }),
        { error: "tags is an array of texts" },
      )
      .readonly()
      .optional(),
    correlationId: uuid("correlationId"),
    causationId: uuid("causationId"),
  },
  { error: (issue) => (issue.code === "invalid_type" ? "an event is an object" : undefined) },
);

const known = Object.keys(schema.shape).join(", ");

/**
 * Checks an event and writes its payloads.
 *
 * @param index its place in the call, from 0, for the error
 * @throws InvalidEventError
 */
export function toWireEvent(event: unknown, index: number): WireEvent {
  const parsed = schema.safeParse(event);
  if (!parsed.success) return refuse(index, parsed.error.issues);
  const { data, metadata, occurredAt, ...rest } = parsed.data;
  return {
    type: rest.type,
    data: payload(data, index, "data"),
    metadata: metadata === undefined ? "{}" : payload(metadata, index, "metadata"),
    eventId: rest.eventId,
    schemaVersion: rest.schemaVersion,
    occurredAt: occurredAt?.toISOString(),
    tags: rest.tags,
    correlationId: rest.correlationId,
    causationId: rest.causationId,
  };
}

/** The event as an element of the array that daybook.append takes. */
export function wireEventJson(event: WireEvent): string {
  let text = `{"type":${JSON.stringify(event.type)},"data":${event.data}`;
  if (event.metadata !== "{}") text += `,"metadata":${event.metadata}`;
  if (event.eventId !== undefined) text += `,"event_id":"${event.eventId}"`;
  if (event.schemaVersion !== undefined) text += `,"schema_version":${event.schemaVersion}`;
  if (event.occurredAt !== undefined) text += `,"occurred_at":"${event.occurredAt}"`;
  if (event.tags !== undefined) text += `,"tags":${JSON.stringify(event.tags)}`;
  if (event.correlationId !== undefined) text += `,"correlation_id":"${event.correlationId}"`;
  if (event.causationId !== undefined) text += `,"causation_id":"${event.causationId}"`;
  return `${text}}`;
}

function isStorable(moment: Date): boolean {
  return moment.getTime() >= -62_135_596_800_000 && moment.getTime() < 253_402_300_800_000;
}

/** An object with a toJSON of its own may write anything: what counts is the text. */
function payload(value: unknown, index: number, name: string): string {
  const text = typeof value === "object" && value !== null ? toJson(value, index, name) : "";
  if (!text.startsWith("{")) return refuse(index, [{ path: [name], message: `${name} is an object` }]);
  return text;
}

interface Issue {
  readonly path: readonly PropertyKey[];
  readonly message: string;
  readonly code?: string;
  readonly keys?: readonly string[];
}

function refuse(index: number, issues: readonly Issue[]): never {
  const issue = issues.find((one) => one.code === "unrecognized_keys") ?? issues[0];
  const problem = issue?.keys
    ? `unknown keys ${issue.keys.join(", ")}; known are ${known}`
    : (issue?.message ?? "it is not as append takes it");
  throw new InvalidEventError(`event ${index}: ${problem}`, {
    detail: { index, path: (issue?.path ?? []).join("."), problem },
    hint: `An event is { ${known} }; type and data are always there.`,
  });
}
