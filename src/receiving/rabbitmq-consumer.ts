import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";
import { type DbLike, toDb } from "../db.ts";
import { BrokerUnavailableError, toError } from "../transports/errors.ts";
import { type OpenChannel, RabbitmqConnection } from "../transports/rabbitmq-connection.ts";
import type { InboundMessage } from "./inbound-message.ts";
import { type ConsumerStatus, receiveOptions } from "./options.ts";
import { type Processed, type ProcessOptions, processMessage, type ReceiveOptions } from "./process-message.ts";
import { declareQueue, queueOptions, type RabbitmqQueueOptions } from "./rabbitmq-queue.ts";
import { RabbitmqSession } from "./rabbitmq-session.ts";

const consumerOptions = z.strictObject({
  ...receiveOptions,
  ...queueOptions,
  url: z.url({ protocol: /^amqps?$/, error: "a URL of RabbitMQ begins with amqp:// or amqps://" }),
  prefetch: z.int().min(1).max(65_535).default(100),
  concurrency: z.int().min(1).default(5),
  connectTimeout: z.number().positive().default(10_000),
});

/** Options of a consumer of RabbitMQ. */
export interface RabbitmqConsumerOptions extends ReceiveOptions, RabbitmqQueueOptions {
  /** `amqp://user:password@host/vhost`, or amqps. */
  readonly url: string;
  /** Where the effects go. */
  readonly db: DbLike;
  /** Messages the broker hands out before they are acknowledged; 100. */
  readonly prefetch?: number | undefined;
  /** Messages processed at the same time, each of another key; 5. */
  readonly concurrency?: number | undefined;
  /** Milliseconds until a broker that does not answer counts as unavailable; 10,000. */
  readonly connectTimeout?: number | undefined;
}

/** A consumer that runs. */
export interface RabbitmqConsumer {
  /** Takes no more, lets what is being processed end, and leaves. The rest stays in the queue. */
  stop(): Promise<void>;
  status(): ConsumerStatus;
}

/**
 * Consumes a queue of RabbitMQ, with effects in PostgreSQL that happen once: a message is acknowledged after its effects
 * were committed, together with the note that it was processed (`processOnce`). A message that is delivered again (a
 * crash, a lost connection) is found processed and acknowledged.
 *
 * Messages of one key are processed in order, one after the other; later ones wait while one is tried again. The order is
 * the queue's, and holds over several processes as well: the queue has a single active consumer, the others stand by. A
 * message that has used up its tries goes to the dead-letter exchange, and its key goes on without it.
 *
 * Declares the exchange, the queue, its bindings, the dead-letter exchange and its queue, all durable. The connection
 * comes again after growing delays. Needs the package amqplib.
 *
 * @returns when it consumes
 * @throws BrokerUnavailableError if that cannot be reached the first time
 */
export async function rabbitmqConsumer(options: RabbitmqConsumerOptions): Promise<RabbitmqConsumer> {
  const parsed = consumerOptions.parse(options);
  const consumer = new Consumer(parsed);
  await consumer.start();
  return consumer;
}

type Parsed = z.output<typeof consumerOptions>;

class Consumer implements RabbitmqConsumer {
  readonly #options: Parsed;
  readonly #process: ProcessOptions;
  readonly #connection: RabbitmqConnection;
  readonly #stopping = new AbortController();
  readonly #counts = { processed: 0, repeated: 0, dead: 0, stopped: 0, failures: 0 };
  #state: ConsumerStatus["state"] = "waiting";
  #lastError: Error | null = null;
  #running: Promise<void> | undefined;

  constructor(options: Parsed) {
    this.#options = options;
    this.#process = {
      ...options,
      db: toDb(options.db),
      attempts: options.deadLetters === false ? Number.POSITIVE_INFINITY : options.attempts,
      onError: (error, message) => this.#failed(error, message),
    };
    this.#connection = new RabbitmqConnection({ ...options, prepare: (channel) => declareQueue(channel, options) });
  }

  async start(): Promise<void> {
    const first = await this.#connection.open();
    const session = await this.#consume(first);
    this.#running = this.#follow(session);
  }

  async stop(): Promise<void> {
    this.#stopping.abort(new Error("the consumer is stopped"));
    await this.#running;
    await this.#connection.close();
    this.#state = "stopped";
  }

  status(): ConsumerStatus {
    const { stopped: _, ...counts } = this.#counts;
    return { state: this.#state, ...counts, lastError: this.#lastError };
  }

  /** Stays with a connection until it is lost, then with the next. */
  async #follow(first: RabbitmqSession): Promise<void> {
    let session: RabbitmqSession | null = first;
    while (session) {
      const lost = await session.end(this.#stopping.signal);
      if (!this.#stopping.signal.aborted) this.#failed(lost ?? new Error("RabbitMQ closed the connection"), null);
      session = await this.#next();
    }
  }

  /** The next connection; null when the consumer is stopped. */
  async #next(): Promise<RabbitmqSession | null> {
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      this.#state = "waiting";
      try {
        return await this.#consume(await this.#connection.open());
      } catch (error) {
        this.#failed(toError(error), null);
        const delay = error instanceof BrokerUnavailableError ? error.retryAfter : 1000;
        await sleep(delay, undefined, { signal }).catch(() => undefined);
      }
    }
    return null;
  }

  async #consume(open: OpenChannel): Promise<RabbitmqSession> {
    const { prefetch, concurrency, queue } = this.#options;
    const session = new RabbitmqSession(open, concurrency, (message, signal) => this.#handle(message, signal));
    await open.channel.prefetch(prefetch);
    await session.begin(queue);
    this.#state = "consuming";
    return session;
  }

  async #handle(message: InboundMessage | Error, signal: AbortSignal): Promise<Processed> {
    if (message instanceof Error) this.#failed(message, null);
    const outcome = message instanceof Error ? "dead" : await processMessage(message, this.#process, signal);
    this.#counts[outcome] += 1;
    return outcome;
  }

  #failed(error: Error, message: InboundMessage | null): void {
    this.#counts.failures += 1;
    this.#lastError = error;
    try {
      this.#options.onError(error, message);
    } catch {
      // who is told must not stop the work
    }
  }
}
