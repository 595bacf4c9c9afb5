import { createHash } from "node:crypto";
import { z } from "zod";
import { type JsonObject, parseJson } from "../store/json.ts";

/** A message that came in: a CloudEvent, from Daybook or from somebody else. */
export interface InboundMessage {
  /** Its id, the same with every delivery. */
  readonly id: string;
  /** Who sent it. Ids are unique within a source. */
  readonly source: string;
  /** Public name of what happened. */
  readonly type: string;
  /** Public version of the shape of `data`: what follows `.v` at the end of CloudEvents' type, or 1. */
  readonly typeVersion: number;
  readonly data: JsonObject;
  readonly metadata: JsonObject | null;
  /** What order is kept for: the partition key, else the subject. Null if it has neither. */
  readonly key: string | null;
  /** The tenant it was sent for; null if it does not say. */
  readonly tenantId: string | null;
  /** Place in the sender's stream; null if it does not say. */
  readonly version: bigint | null;
  readonly correlationId: string | null;
  readonly causationId: string | null;
  readonly occurredAt: Date | null;
  /** Where it came in: routing key, topic. */
  readonly topic: string;
  /** All its context attributes, extensions too. */
  readonly attributes: Readonly<Record<string, string>>;
}

/** What was received is no CloudEvent. */
export class NotACloudEventError extends Error {
  override readonly name = "NotACloudEventError";
  readonly code = "not_a_cloud_event";
}

/** What a broker delivers, as far as CloudEvents are concerned. */
export interface Delivery {
  readonly contentType: string | undefined;
  /** Attributes that came beside the body, by their names. */
  readonly attributes: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
  readonly topic: string;
}

const simple = z.union([z.string(), z.number(), z.boolean(), z.bigint()]).transform(String);
const document = z.record(z.string(), z.unknown());
const required = z.object({
  specversion: z.literal("1.0"),
  id: z.string().min(1),
  source: z.string().min(1),
  type: z.string().min(1),
});

/**
 * Reads a CloudEvent 1.0 whose data is a JSON object (or absent, which counts as empty), structured or binary.
 *
 * @throws NotACloudEventError
 */
export function parseDelivery({ contentType = "", attributes, body, topic }: Delivery): InboundMessage {
  const text = new TextDecoder().decode(body);
  try {
    if (!contentType.startsWith("application/cloudevents+json"))
      return toInbound(attributes, jsonObject.parse(parseJson(text)), topic);
    const { data = {}, ...context } = document.parse(parseJson(text));
    const found = Object.entries(context).flatMap(([name, value]) => {
      const parsed = simple.safeParse(value);
      return parsed.success ? [[name, parsed.data] as const] : [];
    });
    return toInbound(Object.fromEntries(found), jsonObject.parse(data), topic);
  } catch (error) {
    throw new NotACloudEventError("what was received is no CloudEvent 1.0 with a JSON object for data", {
      cause: error,
    });
  }
}

const jsonObject = z.custom<JsonObject>(
  (value) => typeof value === "object" && value !== null && !Array.isArray(value),
);

function toInbound(attributes: Readonly<Record<string, string>>, data: JsonObject, topic: string): InboundMessage {
  const { id, source, type } = required.parse(attributes);
  const [, name = type, version = "1"] = /^(.+)\.v(\d{1,9})$/.exec(type) ?? [];
  const { metadata, time, streamversion } = attributes;
  return {
    id,
    source,
    type: name,
    typeVersion: Number(version),
    data,
    metadata: metadata === undefined ? null : jsonObject.parse(parseJson(metadata)),
    key: attributes.partitionkey ?? attributes.subject ?? null,
    tenantId: attributes.tenantid ?? null,
    version: streamversion === undefined ? null : z.coerce.bigint().parse(streamversion),
    correlationId: attributes.correlationid ?? null,
    causationId: attributes.causationid ?? null,
    occurredAt: time === undefined ? null : z.coerce.date().parse(time),
    topic,
    attributes,
  };
}

/** What a message is told by: its id; with its source where the id is no UUID, which others may use too. */
export function identityOf({ id, source }: InboundMessage): string {
  if (z.guid().safeParse(id).success) return id;
  const both = `${source} ${id}`;
  return both.length <= 255 ? both : createHash("sha256").update(both).digest("hex");
}
