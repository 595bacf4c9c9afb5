import { z } from "zod";
import type { JsonObject } from "../store/json.ts";
import { writeJson } from "./json.ts";
import type { OutboundMessage } from "./transport.ts";

/** How messages become CloudEvents. */
export interface CloudEventOptions {
  /**
   * Who sends: a URI reference, or a function of the message. Receivers tell messages apart by source and id. Default
   * `/daybook/<tenant>`.
   */
  readonly source?: string | ((message: OutboundMessage) => string) | undefined;
  /** The URI of the schema of `data`, where there is one. */
  readonly dataSchema?: ((message: OutboundMessage) => string | undefined) | undefined;
}

/** The context attributes of a CloudEvent 1.0 that Daybook sends; extensions are its last seven. */
export interface CloudEventAttributes {
  readonly specversion: "1.0";
  /** The message id: a repeat has the same. */
  readonly id: string;
  readonly source: string;
  /** Public name and version: `PatientCheckedIn.v1`. */
  readonly type: string;
  /** The stream, or the key. */
  readonly subject: string;
  /** When it happened, RFC 3339. */
  readonly time: string;
  readonly datacontenttype: "application/json";
  readonly dataschema?: string;
  /** Extension of CloudEvents' partitioning: order is kept among events of one key. */
  readonly partitionkey: string;
  /** Place in the outbox, as text: integers of CloudEvents have 32 bits. */
  readonly position: string;
  readonly tenantid: string;
  /** Place in the stream, as text; absent if it was published without a domain event. */
  readonly streamversion?: string;
  /** Extension of CloudEvents' correlation. */
  readonly correlationid?: string;
  readonly causationid?: string;
  /** The metadata, as JSON text: attributes are no objects. */
  readonly metadata?: string;
}

/** A CloudEvent as one document. */
export interface StructuredCloudEvent {
  readonly contentType: "application/cloudevents+json; charset=UTF-8";
  readonly body: string;
}

/** A CloudEvent whose body is the data alone; its attributes go into headers, named as the protocol's binding says. */
export interface BinaryCloudEvent {
  readonly contentType: "application/json";
  /** Every attribute but `datacontenttype`, which is the content type. */
  readonly attributes: Readonly<Record<string, string>>;
  readonly body: string;
}

/**
 * A message as a CloudEvent 1.0, structured (one JSON document) or binary (data in the body, attributes beside it). With
 * all digits of its numbers.
 *
 * @throws TypeError for a source or schema that is no URI reference, as far as it can be told
 */
export function toCloudEvent(message: OutboundMessage, mode: "structured", o?: CloudEventOptions): StructuredCloudEvent;
export function toCloudEvent(message: OutboundMessage, mode: "binary", o?: CloudEventOptions): BinaryCloudEvent;
export function toCloudEvent(
  message: OutboundMessage,
  mode: "structured" | "binary",
  options: CloudEventOptions = {},
): StructuredCloudEvent | BinaryCloudEvent {
  const attributes = attributesOf(message, options);
  if (mode === "structured") {
    return {
      contentType: "application/cloudevents+json; charset=UTF-8",
      body: writeJson({ ...attributes, data: message.data }),
    };
  }
  const { datacontenttype, ...beside } = attributes;
  return { contentType: datacontenttype, attributes: beside, body: writeJson(message.data) };
}

/** The context attributes of a message. */
export function attributesOf(message: OutboundMessage, options: CloudEventOptions = {}): CloudEventAttributes {
  const { source = defaultSource, dataSchema } = options;
  const schema = dataSchema?.(message);
  return {
    specversion: "1.0",
    id: message.messageId,
    source: uriReference(typeof source === "string" ? source : source(message), "source"),
    type: `${message.type}.v${message.typeVersion}`,
    subject: message.key,
    time: message.occurredAt.toISOString(),
    datacontenttype: "application/json",
    ...(schema === undefined ? {} : { dataschema: uri(schema, "dataschema") }),
    partitionkey: message.key,
    position: String(message.position),
    tenantid: message.tenantId,
    ...(message.version === null ? {} : { streamversion: String(message.version) }),
    ...(message.correlationId === null ? {} : { correlationid: message.correlationId }),
    ...(message.causationId === null ? {} : { causationid: message.causationId }),
    ...(message.metadata === null || isEmpty(message.metadata) ? {} : { metadata: writeJson(message.metadata) }),
  };
}

/** How transports are told to write messages: CloudEvents of either mode. */
export const envelopeOptions = {
  mode: z.enum(["structured", "binary"]),
  source: z.custom<CloudEventOptions["source"]>(isTextOrFunction, "source is a URI reference or a function").optional(),
  dataSchema: z
    .custom<CloudEventOptions["dataSchema"]>((value) => typeof value === "function", "dataSchema is a function")
    .optional(),
};

function isTextOrFunction(value: unknown): boolean {
  return typeof value === "function" || (typeof value === "string" && value !== "");
}

function defaultSource({ tenantId }: OutboundMessage): string {
  return `/daybook/${encodeURIComponent(tenantId)}`;
}

/** RFC 3986: no spaces, no control characters, not empty. */
function uriReference(text: string, name: string): string {
  if (text === "" || !/^[\w\-.~:/?#[\]@!$&'()*+,;=%]+$/.test(text)) {
    throw new TypeError(`${name} of a CloudEvent is a URI reference: ${JSON.stringify(text)}`);
  }
  return text;
}

function uri(text: string, name: string): string {
  if (!/^[a-z][a-z0-9+.-]*:/i.test(text))
    throw new TypeError(`${name} of a CloudEvent is a URI: ${JSON.stringify(text)}`);
  return uriReference(text, name);
}

function isEmpty(object: JsonObject): boolean {
  for (const _ in object) return false;
  return true;
}
