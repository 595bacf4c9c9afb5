import { z } from "zod";
import { type CloudEventOptions, envelopeOptions, toCloudEvent } from "./cloud-event.ts";
import type { KafkaClient, KafkaRecord } from "./kafka-client.ts";
import { type KafkaConnectionOptions, platformaticClient } from "./kafka-platformatic.ts";
import { KafkaSender } from "./kafka-sender.ts";
import { sendInWaves } from "./send-in-waves.ts";
import { Sends } from "./sends.ts";
import type { OutboundMessage, Transport } from "./transport.ts";

/** How a cluster is reached, checked. */
export const connectionOptions = {
  brokers: z.array(z.string().min(1)).default([]),
  clientId: z.string().min(1).optional(),
  tls: z.custom<KafkaConnectionOptions["tls"]>((value) => typeof value === "object").optional(),
  sasl: z.custom<KafkaConnectionOptions["sasl"]>((value) => typeof value === "object").optional(),
  client: z.custom<KafkaClient>((value) => typeof value === "object" && value !== null).optional(),
};

/** The client of the options: the one given, or the default for the brokers. */
export function clientOf(options: z.output<z.ZodObject<typeof connectionOptions>>): KafkaClient {
  if (options.client) return options.client;
  if (options.brokers.length === 0) throw new TypeError("Kafka needs brokers: the host:port of some of them");
  return platformaticClient(options);
}

const kafkaOptions = z.strictObject({
  name: z.string().min(1),
  ...connectionOptions,
  topic: z
    .union([z.string(), z.custom<(message: OutboundMessage) => string>((value) => typeof value === "function")])
    .optional(),
  idempotent: z.boolean().default(true),
  autocreateTopics: z.boolean().default(false),
  timeout: z.number().positive().default(30_000),
  ...envelopeOptions,
  mode: envelopeOptions.mode.default("binary"),
});

/** Options of Kafka as a transport. */
export interface KafkaTransportOptions extends CloudEventOptions, Partial<KafkaConnectionOptions> {
  /** The name that routes know it by. */
  readonly name: string;
  /** A fixed topic, or a function of the message. Default: the message's topic, which routes make of the category. */
  readonly topic?: string | ((message: OutboundMessage) => string) | undefined;
  /** False for brokers that know no idempotent producers. */
  readonly idempotent?: boolean | undefined;
  /** True: topics that are missing are made, where the broker allows it. */
  readonly autocreateTopics?: boolean | undefined;
  /** Milliseconds until messages without an answer count as not sent; 30,000. */
  readonly timeout?: number | undefined;
  /** `binary` (the default: attributes in headers named `ce_…`) or `structured`. */
  readonly mode?: "structured" | "binary" | undefined;
  /** Another client than the default. */
  readonly client?: KafkaClient | undefined;
}

/**
 * Kafka as a transport; the key of a record is the key of the message, so that a stream stays in one partition. Promised:
 *
 * - a message counts as sent when all in-sync replicas have it (`acks=all`; how many those are is the topic's
 *   `min.insync.replicas`);
 * - at least once: a send whose outcome is unknown is repeated, with the same `ce_id`;
 * - what the producer repeats by itself within one send, after an answer that was lost, the broker writes once (idempotent
 *   producer, where the broker offers it). What Daybook sends again after a timeout, a lost connection or a crash is
 *   another send, and is written again: effects happen once by `processOnce` on the receiving side, not by this;
 * - first writes of a key are in order within its topic, as long as the topic's number of partitions stays.
 *
 * One send runs at a time, and after a failure a new producer is made: the client counts sequence numbers when an answer
 * comes, and two sends at once would have the broker drop the second as a repeat.
 *
 * Needs the package @platformatic/kafka, unless `client` is given.
 *
 * @throws z.ZodError, TypeError for options that are wrong
 */
export function kafkaTransport(options: KafkaTransportOptions): Transport {
  const parsed = kafkaOptions.parse(options);
  const sends = new Sends(parsed.name);
  const sender = new KafkaSender(clientOf(parsed), parsed);
  const toRecord = (message: OutboundMessage) => recordOf(message, parsed);
  return {
    name: parsed.name,
    send: (messages, { signal }) => sends.run(() => sendInWaves(messages, { signal, toRecord, sender })),
    close: () => sends.close(() => sender.close()),
  };
}

function recordOf(message: OutboundMessage, options: z.output<typeof kafkaOptions>): KafkaRecord {
  const topic = typeof options.topic === "function" ? options.topic(message) : (options.topic ?? message.topic);
  if (!/^[a-zA-Z0-9._-]{1,249}$/.test(topic) || topic === "." || topic === "..") {
    throw new TypeError(
      `a topic of Kafka has 1 to 249 letters, digits, points, dashes and underscores: ${JSON.stringify(topic)}`,
    );
  }
  if (options.mode === "structured") {
    const { contentType, body } = toCloudEvent(message, "structured", options);
    return { topic, key: message.key, value: body, headers: { "content-type": contentType } };
  }
  const { contentType, attributes, body } = toCloudEvent(message, "binary", options);
  const headers = Object.entries(attributes).map(([name, value]) => [`ce_${name}`, value]);
  return {
    topic,
    key: message.key,
    value: body,
    headers: { "content-type": contentType, ...Object.fromEntries(headers) },
  };
}
