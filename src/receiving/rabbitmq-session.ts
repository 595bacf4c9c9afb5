import type { ConfirmChannel, ConsumeMessage } from "amqplib";
import { z } from "zod";
import { toError } from "../transports/errors.ts";
import type { OpenChannel } from "../transports/rabbitmq-connection.ts";
import { type InboundMessage, parseDelivery } from "./inbound-message.ts";
import { KeyChains } from "./key-chains.ts";
import type { Processed } from "./process-message.ts";

/** Processes a message, or says what becomes of what is none. */
export type Handle = (message: InboundMessage | Error, signal: AbortSignal) => Promise<Processed>;

/** What is done over one connection. When it is lost, what has not begun is given up: it is delivered again. */
export class RabbitmqSession {
  readonly #channel: ConfirmChannel;
  readonly #closed: OpenChannel["closed"];
  readonly #chains: KeyChains;
  readonly #handle: Handle;
  readonly #lost = new AbortController();
  #tag = "";

  constructor({ channel, closed }: OpenChannel, concurrency: number, handle: Handle) {
    this.#channel = channel;
    this.#closed = closed;
    this.#chains = new KeyChains(concurrency);
    this.#handle = handle;
    closed.then(() => this.#lost.abort(new Error("the connection was lost")));
  }

  async begin(queue: string): Promise<void> {
    const { consumerTag } = await this.#channel.consume(queue, (delivery) => {
      if (delivery) this.#take(delivery);
      // the queue was deleted: it is declared again
      else this.#channel.close().catch(() => undefined);
    });
    this.#tag = consumerTag;
  }

  /** Resolves when the connection is lost, with the reason, or, after the signal, when what was being processed has ended. */
  async end(stop: AbortSignal): Promise<Error | undefined> {
    const stopped = Promise.withResolvers<void>();
    const onStop = () => stopped.resolve();
    stop.addEventListener("abort", onStop, { once: true });
    if (stop.aborted) onStop();
    const reason = await Promise.race([this.#closed, stopped.promise]);
    stop.removeEventListener("abort", onStop);
    if (stop.aborted) await this.#channel.cancel(this.#tag).catch(() => undefined);
    this.#lost.abort(new Error("the consumer is stopped"));
    await this.#chains.idle();
    return reason ?? undefined;
  }

  #take(delivery: ConsumeMessage): void {
    const message = parse(delivery);
    const key = message instanceof Error ? "" : `${message.tenantId ?? ""}\0${message.key ?? ""}`;
    this.#chains.add(key, async () => {
      if (this.#lost.signal.aborted) return;
      this.#answer(delivery, await this.#handle(message, this.#lost.signal));
    });
  }

  #answer(delivery: ConsumeMessage, outcome: Processed): void {
    try {
      if (outcome === "dead") this.#channel.nack(delivery, false, false);
      else if (outcome !== "stopped") this.#channel.ack(delivery);
    } catch {
      // the channel has gone: the message is delivered again, and found processed
    }
  }
}

const headerTexts = z.record(z.string(), z.unknown()).catch({});

function parse({ content, fields, properties }: ConsumeMessage): InboundMessage | Error {
  const attributes = Object.entries(headerTexts.parse(properties.headers)).flatMap(([name, value]) => {
    const attribute = /^cloudEvents[:_](.+)$/.exec(name)?.[1];
    return attribute === undefined ? [] : [[attribute, String(value)] as const];
  });
  const contentType = z.string().optional().catch(undefined).parse(properties.contentType);
  try {
    return parseDelivery({
      contentType,
      attributes: Object.fromEntries(attributes),
      body: content,
      topic: fields.routingKey,
    });
  } catch (error) {
    return toError(error);
  }
}
