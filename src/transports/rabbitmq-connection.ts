import type { ChannelModel, ConfirmChannel } from "amqplib";
import { Backoff } from "./backoff.ts";
import { BrokerUnavailableError, importOptional, toError } from "./errors.ts";

/** A channel that is open. */
export interface OpenChannel {
  readonly channel: ConfirmChannel;
  /** Resolves when it is closed, with the reason if it failed. */
  readonly closed: Promise<Error | undefined>;
}

/** How a connection is made. */
export interface RabbitmqConnectionOptions {
  readonly url: string;
  /** Milliseconds until a broker that does not answer counts as gone. */
  readonly connectTimeout: number;
  /** Prepares each channel: exchanges, queues, bindings. */
  readonly prepare: (channel: ConfirmChannel) => Promise<void>;
}

/**
 * One connection with one channel in confirm mode, opened when it is wanted, and again, after growing delays, when it was
 * lost. While the broker is away a call fails at once rather than queueing up behind it.
 */
export class RabbitmqConnection {
  readonly #options: RabbitmqConnectionOptions;
  readonly #backoff = new Backoff();
  /** A moment of performance.now(), which no change of the clock moves. */
  #notBefore = 0;
  #lastError: Error | undefined;
  #opening: Promise<OpenChannel> | undefined;
  #connection: ChannelModel | undefined;
  #blocked: string | undefined;

  constructor(options: RabbitmqConnectionOptions) {
    this.#options = options;
  }

  /** Why the broker takes no messages though it is connected (memory or disk alarm), if it says so. */
  get blocked(): string | undefined {
    return this.#blocked;
  }

  /**
   * The open channel.
   *
   * @throws BrokerUnavailableError
   * @throws MissingPackageError
   */
  async open(): Promise<OpenChannel> {
    if (this.#opening) return this.#opening;
    const wait = this.#notBefore - performance.now();
    if (wait > 0) throw unavailable(this.#lastError, wait);
    const amqp = await importOptional("amqplib", () => import("amqplib"));
    this.#opening ??= this.#connect(amqp.connect).catch((error: unknown) => {
      this.#lost();
      const delay = this.#backoff.next();
      this.#notBefore = performance.now() + delay;
      this.#lastError = toError(error);
      throw unavailable(this.#lastError, delay);
    });
    return this.#opening;
  }

  /** Closes the channel and the connection; the broker has taken what was confirmed. */
  async close(): Promise<void> {
    await this.#opening?.catch(() => undefined);
    const connection = this.#connection;
    this.#lost();
    await connection?.close().catch(() => undefined);
  }

  async #connect(connect: typeof import("amqplib").connect): Promise<OpenChannel> {
    const connection = await connect(withHeartbeat(this.#options.url), { timeout: this.#options.connectTimeout });
    let reason: Error | undefined;
    connection.on("error", (error) => {
      reason = error;
    });
    const closed = new Promise<Error | undefined>((done) => {
      // a channel that fails takes its connection with it: both are opened again
      connection.on("close", (error) => done(reason ?? (error instanceof Error ? error : undefined)));
    });
    this.#connection = connection;
    connection.on("blocked", (why) => {
      this.#blocked = why || "it says no reason";
    });
    connection.on("unblocked", () => {
      this.#blocked = undefined;
    });
    closed.then(() => {
      if (this.#connection === connection) this.#lost();
    });
    try {
      const channel = await connection.createConfirmChannel();
      channel.on("error", (error) => {
        reason = error;
      });
      channel.on("close", () => void connection.close().catch(() => undefined));
      await this.#options.prepare(channel);
      this.#backoff.reset();
      return { channel, closed };
    } catch (error) {
      await connection.close().catch(() => undefined);
      throw reason ?? error;
    }
  }

  #lost(): void {
    this.#opening = undefined;
    this.#connection = undefined;
    this.#blocked = undefined;
  }
}

function unavailable(cause: Error | undefined, retryAfter: number): BrokerUnavailableError {
  return new BrokerUnavailableError(
    `RabbitMQ cannot be reached: ${cause?.message ?? "not connected"}`,
    Math.ceil(retryAfter),
    cause,
  );
}

/** A connection that says nothing for two of these is gone. */
function withHeartbeat(text: string): string {
  const url = new URL(text);
  if (!url.searchParams.has("heartbeat")) url.searchParams.set("heartbeat", "10");
  return url.href;
}
