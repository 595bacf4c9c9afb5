import { z } from "zod";
import {
  DuplicateEventIdError,
  InvalidAppendError,
  InvalidArgumentError,
  InvalidExpectedVersionError,
  InvalidStreamIdError,
  InvalidTenantError,
} from "../errors.ts";
import { isName, isShortText } from "./text.ts";
import type { AppendInput, ExpectedVersion } from "./types.ts";
import { toWireEvent, type WireEvent, wireEventJson } from "./wire-event.ts";

/** An append as it is sent. */
export interface WireAppend {
  readonly streamId: string;
  readonly events: readonly WireEvent[];
  /** As SQL takes it: null any, 0 must not exist, -1 must exist. */
  readonly expectedVersion: bigint | null;
  readonly idempotencyKey: string | null;
  readonly tenantId: string | null;
}

const schema = z.strictObject({
  streamId: z.string().refine((text) => isName(text) && !text.startsWith("-")),
  events: z.unknown().optional(),
  expectedVersion: z
    .union([z.enum(["any", "none", "exists"]), z.int().min(-1), z.bigint().min(-1n).max(9223372036854775807n)])
    .optional(),
  idempotencyKey: z.string().refine(isShortText).optional(),
  tenantId: z.string().refine(isName).optional(),
});

const known = Object.keys(schema.shape).join(", ");

/**
 * Checks an append as SQL would, before a round trip.
 *
 * @param least how many events there must be
 * @throws InvalidAppendError, InvalidStreamIdError, InvalidExpectedVersionError, InvalidArgumentError (the key),
 *   InvalidTenantError, InvalidEventError, DuplicateEventIdError
 */
export function toWireAppend(input: Partial<AppendInput>, least = 1): WireAppend {
  const parsed = schema.safeParse(input);
  if (!parsed.success) return refuse(input, parsed.error.issues);
  const { streamId, events, expectedVersion = "any", idempotencyKey = null, tenantId = null } = parsed.data;
  const list = toList(events);
  if (list === undefined || list.length < least) {
    throw new InvalidAppendError("events is an event or an array of at least one event", {
      detail: { given: Array.isArray(events) ? "an empty array" : typeof events },
      hint: "Pass { type, data } or [{ type, data }, …].",
    });
  }
  const wire = list.map((event, index) => toWireEvent(event, index));
  if (wire.length > 1) checkEventIds(wire);
  return { streamId, events: wire, expectedVersion: toVersion(expectedVersion), idempotencyKey, tenantId };
}

/** The append as an element of the array that daybook.append_streams and append_batch take. */
export function wireAppendJson(append: WireAppend): string {
  let text = `{"stream_id":${JSON.stringify(append.streamId)},"events":${wireEventsJson(append.events)}`;
  if (append.expectedVersion !== null) text += `,"expected_version":${append.expectedVersion}`;
  if (append.idempotencyKey !== null) text += `,"idempotency_key":${JSON.stringify(append.idempotencyKey)}`;
  if (append.tenantId !== null) text += `,"tenant_id":${JSON.stringify(append.tenantId)}`;
  return `${text}}`;
}

/** Events as the array that daybook.append takes. */
export function wireEventsJson(events: readonly WireEvent[]): string {
  let text = "[";
  for (const event of events) text += (text === "[" ? "" : ",") + wireEventJson(event);
  return `${text}]`;
}

/** Refuses the same event id twice in one call. */
export function checkEventIds(events: readonly WireEvent[]): void {
  const seen = new Set<string>();
  for (const { eventId } of events) {
    const id = eventId?.toLowerCase();
    if (id !== undefined && seen.has(id)) {
      throw new DuplicateEventIdError(`event id ${id} stands twice in one call`, {
        detail: { event_id: id },
        hint: "Give each event an id of its own, or none: one is made.",
      });
    }
    if (id !== undefined) seen.add(id);
  }
}

function toList(events: unknown): readonly unknown[] | undefined {
  if (Array.isArray(events)) return events;
  return typeof events === "object" && events !== null ? [events] : undefined;
}

function toVersion(expected: ExpectedVersion): bigint | null {
  switch (expected) {
    case "any":
      return null;
    case "none":
      return 0n;
    case "exists":
      return -1n;
    default:
      return BigInt(expected);
  }
}

function refuse(input: Partial<AppendInput>, issues: readonly z.core.$ZodIssue[]): never {
  const unknown = issues.find((issue) => issue.code === "unrecognized_keys");
  const field = unknown ? undefined : issues[0]?.path[0];
  switch (field) {
    case "streamId":
      throw new InvalidStreamIdError(
        "a stream is named by 1 to 255 characters, none of them a control character, the first no dash",
        { detail: { stream_id: input.streamId }, hint: "Name streams <category>-<id>, such as account-42." },
      );
    case "expectedVersion":
      throw new InvalidExpectedVersionError(`${String(input.expectedVersion)} is no expected version`, {
        detail: { expected_version: input.expectedVersion },
        hint: 'Expect "any", "none" (or 0), "exists" (or -1), or a version: a whole number, bigint beyond 2^53.',
      });
    case "idempotencyKey":
      throw new InvalidArgumentError("an idempotency key has 1 to 255 characters", {
        detail: { argument: "idempotency_key" },
        hint: "Use a UUID or a hash of the request; leave it out where there is none.",
      });
    case "tenantId":
      throw new InvalidTenantError("a tenant is named by 1 to 255 characters, none of them a control character", {
        detail: { tenant_id: input.tenantId },
        hint: "Pass the name of one tenant, or leave tenantId out.",
      });
    default:
      throw new InvalidAppendError(unknown ? `unknown keys ${unknown.keys.join(", ")}` : "an append is an object", {
        detail: { unknown: unknown?.keys ?? [] },
        hint: `An append is { ${known} }; streamId and events are always there.`,
      });
  }
}
