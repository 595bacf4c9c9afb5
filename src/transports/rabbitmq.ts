import type { Options } from "amqplib";
import { z } from "zod";
import { type CloudEventOptions, envelopeOptions, toCloudEvent } from "./cloud-event.ts";
import { BrokerUnavailableError, notSent, sent } from "./errors.ts";
import { type OpenChannel, RabbitmqConnection } from "./rabbitmq-connection.ts";
import { sendInOrder } from "./send-in-order.ts";
import { Sends } from "./sends.ts";
import type { OutboundMessage, SendContext, SendOutcome, Transport } from "./transport.ts";

const rabbitmqOptions = z.strictObject({
  name: z.string().min(1),
  url: z.url({ protocol: /^amqps?$/, error: "a URL of RabbitMQ begins with amqp:// or amqps://" }),
  exchange: z.string().min(1).max(255),
  routingKey: z.custom<(message: OutboundMessage) => string>((value) => typeof value === "function").optional(),
  unroutable: z.enum(["fail", "drop"]).default("fail"),
  timeout: z.number().positive().default(30_000),
  connectTimeout: z.number().positive().default(10_000),
  concurrency: z.int().min(1).max(10_000).default(500),
  ...envelopeOptions,
  mode: envelopeOptions.mode.default("structured"),
});

/** Options of RabbitMQ as a transport. */
export interface RabbitmqTransportOptions extends CloudEventOptions {
  /** The name that routes know it by. */
  readonly name: string;
  /** `amqp://user:password@host/vhost`, or amqps. */
  readonly url: string;
  /** The exchange messages go to; it is declared, as a durable topic exchange. */
  readonly exchange: string;
  /** The routing key of a message, at most 255 bytes. Default: its topic. */
  readonly routingKey?: ((message: OutboundMessage) => string) | undefined;
  /** What becomes of a message that no queue is bound for: `fail` (it is not sent; the default) or `drop`. */
  readonly unroutable?: "fail" | "drop" | undefined;
  /** Milliseconds until a message that was not confirmed counts as not sent; 30,000. */
  readonly timeout?: number | undefined;
  /** Milliseconds until a broker that does not answer counts as unavailable; 10,000. */
  readonly connectTimeout?: number | undefined;
  /** Messages on their way to be confirmed at the same time, each of another key; 500. */
  readonly concurrency?: number | undefined;
  /** `structured` (the default), or `binary`: attributes in headers named `cloudEvents:…`, as in CloudEvents' AMQP binding. */
  readonly mode?: "structured" | "binary" | undefined;
}

/** The broker has no queue bound for a message. */
export class UnroutableError extends Error {
  override readonly name = "UnroutableError";
  readonly code = "unroutable";
}

/** The broker has refused a message: a queue that is full and rejects, or that failed. */
export class RejectedByBrokerError extends Error {
  override readonly name = "RejectedByBrokerError";
  readonly code = "rejected";
}

/**
 * RabbitMQ as a transport: persistent messages to a durable topic exchange, with publisher confirms. Promised: a message
 * counts as sent when the broker has confirmed it (written by every queue it was routed to); at least once, a repeat has
 * the same `messageId`; a key's next message goes out when the one before is confirmed, so queues have each key in order of
 * first deliveries. A message that no queue is bound for is reported. While the broker is away or blocked (memory or disk
 * alarm) messages are `unavailable`; the connection comes again after growing delays.
 *
 * Needs the package amqplib.
 *
 * @throws z.ZodError for options that are wrong
 */
export function rabbitmqTransport(options: RabbitmqTransportOptions): Transport {
  const parsed = rabbitmqOptions.parse(options);
  const { exchange, connectTimeout, url } = parsed;
  const sends = new Sends(parsed.name);
  const returned = new Set<string>();
  const connection = new RabbitmqConnection({
    url,
    connectTimeout,
    prepare: async (channel) => {
      returned.clear();
      channel.on("return", ({ properties, fields }) => returned.add(`${properties.messageId} ${fields.routingKey}`));
      await channel.assertExchange(exchange, "topic", { durable: true });
    },
  });
  const send = (messages: readonly OutboundMessage[], { signal }: SendContext) =>
    sendInOrder(messages, {
      ...parsed,
      signal,
      sendOne: (message) => publishOne(message, connection, returned, parsed),
    });
  return {
    name: parsed.name,
    send: (messages, ctx) => sends.run(() => send(messages, ctx)),
    close: () => sends.close(() => connection.close()),
  };
}

type Parsed = z.output<typeof rabbitmqOptions>;

async function publishOne(
  message: OutboundMessage,
  connection: RabbitmqConnection,
  returned: Set<string>,
  options: Parsed,
): Promise<SendOutcome> {
  let open: OpenChannel;
  try {
    open = await connection.open();
  } catch (error) {
    // no message is at fault for a package that is missing either
    const retryAfter = error instanceof BrokerUnavailableError ? error.retryAfter : undefined;
    return notSent(error, { unavailable: true, ...(retryAfter === undefined ? {} : { retryAfter }) });
  }
  if (connection.blocked !== undefined) {
    const error = new BrokerUnavailableError(`RabbitMQ takes no messages: ${connection.blocked}`, 1000);
    return notSent(error, { unavailable: true, retryAfter: error.retryAfter });
  }
  const { routingKey = message.topic, body, properties } = write(message, options);
  const outcome = await confirmed(open, options.exchange, routingKey, body, properties);
  // the broker returns a message before it confirms it
  if (!returned.delete(`${message.messageId} ${routingKey}`) || options.unroutable === "drop") return outcome;
  return notSent(
    new UnroutableError(`no queue is bound to the exchange ${options.exchange} for ${JSON.stringify(routingKey)}`),
  );
}

function confirmed(
  { channel, closed }: OpenChannel,
  exchange: string,
  routingKey: string,
  body: string,
  properties: Options.Publish,
): Promise<SendOutcome> {
  return new Promise((resolve) => {
    const lost = async (error: Error) => {
      const reason = (await closed) ?? error;
      const gone = new BrokerUnavailableError(`the connection was lost: ${reason.message}`, 0, error);
      resolve(notSent(gone, { unavailable: true }));
    };
    try {
      channel.publish(exchange, routingKey, Buffer.from(body), properties, (error: Error | null) => {
        if (!error) resolve(sent);
        // the client has nothing else to tell it by
        else if (error.message !== "message nacked") lost(error);
        else resolve(notSent(new RejectedByBrokerError("RabbitMQ has refused the message", { cause: error })));
      });
    } catch (error) {
      // a channel that is just closing; all else is the message's fault: headers that are too large
      if (error instanceof Error && error.name === "IllegalOperationError") lost(error);
      else resolve(notSent(error));
    }
  });
}

function write(message: OutboundMessage, options: Parsed) {
  const routingKey = options.routingKey?.(message);
  const base: Options.Publish = {
    persistent: true,
    mandatory: true,
    messageId: message.messageId,
    type: message.type,
    timestamp: Math.floor(message.occurredAt.getTime() / 1000),
    ...(message.correlationId === null ? {} : { correlationId: message.correlationId }),
  };
  if (options.mode === "structured") {
    const { contentType, body } = toCloudEvent(message, "structured", options);
    return { routingKey, body, properties: { ...base, contentType } };
  }
  const { contentType, attributes, body } = toCloudEvent(message, "binary", options);
  const headers = Object.fromEntries(Object.entries(attributes).map(([name, value]) => [`cloudEvents:${name}`, value]));
  return { routingKey, body, properties: { ...base, contentType, headers } };
}
