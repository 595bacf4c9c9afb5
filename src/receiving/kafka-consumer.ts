import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";
import { type DbLike, toDb } from "../db.ts";
import { Backoff } from "../transports/backoff.ts";
import { toError } from "../transports/errors.ts";
import { clientOf, connectionOptions } from "../transports/kafka.ts";
import type { KafkaClient, KafkaReading, ReceivedKafkaRecord } from "../transports/kafka-client.ts";
import type { KafkaConnectionOptions } from "../transports/kafka-platformatic.ts";
import { KafkaSender } from "../transports/kafka-sender.ts";
import { type InboundMessage, parseDelivery } from "./inbound-message.ts";
import { KafkaPartitions } from "./kafka-partitions.ts";
import { type ConsumerStatus, receiveOptions } from "./options.ts";
import { type ProcessOptions, processMessage, type ReceiveOptions } from "./process-message.ts";

const consumerOptions = z.strictObject({
  ...receiveOptions,
  ...connectionOptions,
  topics: z.array(z.string().min(1)).nonempty(),
  groupId: z.string().min(1).optional(),
  deadLetterTopic: z.string().min(1).optional(),
});

/** Options of a consumer of Kafka. */
export interface KafkaConsumerOptions extends ReceiveOptions, Partial<KafkaConnectionOptions> {
  readonly topics: readonly string[];
  /** Where the effects go. */
  readonly db: DbLike;
  /** The consumer group. Default: the consumer's name. */
  readonly groupId?: string | undefined;
  /**
   * Where dead letters go. Default: nowhere; a message is then tried for ever while its partition waits (others flow), and
   * what is no CloudEvent at all is passed over (and counted).
   */
  readonly deadLetterTopic?: string | undefined;
  /** Another client than the default. */
  readonly client?: KafkaClient | undefined;
}

/** A consumer that runs. */
export interface KafkaConsumer {
  /** Takes no more, lets what is being processed end, and leaves the group. */
  stop(): Promise<void>;
  status(): ConsumerStatus;
}

/**
 * Consumes topics of Kafka as a member of a group, with effects in PostgreSQL that happen once: an offset is committed
 * after the effects were, and those together with the note that the message was processed (`processOnce`). What is read
 * again, after a crash or when partitions are given to another member, is found processed. Each partition is processed in its
 * order, several at the same time: one whose message fails waits, the others flow. A member that has lost a partition
 * and does not know it yet does no harm: each member processes a partition in its order, and of two that process the same
 * message the second waits and finds it done, so first effects of a key are in order.
 *
 * The connection comes again after growing delays. Needs the package @platformatic/kafka, unless `client` is given.
 *
 * @returns at once: it joins the group in the background, see `status`
 */
export function kafkaConsumer(options: KafkaConsumerOptions): KafkaConsumer {
  const parsed = consumerOptions.parse(options);
  return new Consumer(parsed, clientOf(parsed));
}

type Parsed = z.output<typeof consumerOptions>;

class Consumer implements KafkaConsumer {
  readonly #options: Parsed;
  readonly #client: KafkaClient;
  readonly #process: ProcessOptions;
  readonly #stopping = new AbortController();
  readonly #counts = { processed: 0, repeated: 0, dead: 0, failures: 0 };
  readonly #running: Promise<void>;
  #state: ConsumerStatus["state"] = "waiting";
  #lastError: Error | null = null;
  readonly #deadLetters: KafkaSender;
  #reading: KafkaReading | undefined;
  /** Outlives a lost connection: what was in hand then goes on, in its order. */
  readonly #partitions = new KafkaPartitions({
    process: (record) => this.#take(record),
    rewind: (record) => this.#reading?.rewind(record),
  });

  constructor(options: Parsed, client: KafkaClient) {
    this.#options = options;
    this.#client = client;
    this.#deadLetters = new KafkaSender(client, { idempotent: false, autocreateTopics: true, timeout: 30_000 });
    this.#process = {
      ...options,
      db: toDb(options.db),
      attempts: options.deadLetterTopic === undefined ? Number.POSITIVE_INFINITY : options.attempts,
      onError: (error, message) => this.#failed(error, message),
    };
    this.#running = this.#follow();
  }

  async stop(): Promise<void> {
    this.#stopping.abort(new Error("the consumer is stopped"));
    await this.#running;
    await this.#deadLetters.close();
    this.#state = "stopped";
  }

  status(): ConsumerStatus {
    return { state: this.#state, ...this.#counts, lastError: this.#lastError };
  }

  async #follow(): Promise<void> {
    const { topics, consumer, groupId = consumer } = this.#options;
    const { signal } = this.#stopping;
    const backoff = new Backoff();
    const onReady = () => {
      this.#state = "consuming";
      backoff.reset();
    };
    const onRecord = async (record: ReceivedKafkaRecord, commit: () => Promise<void>) => {
      if (!signal.aborted) await this.#partitions.take(record, commit);
    };
    const stopped = new Promise<void>((done) => signal.addEventListener("abort", () => done(), { once: true }));
    while (!signal.aborted) {
      const reading = this.#client.consume({ groupId, topics, onReady, onRecord });
      this.#reading = reading;
      try {
        await Promise.race([reading.ended, stopped]);
      } catch (error) {
        this.#failed(toError(error), null);
      }
      this.#state = "waiting";
      if (signal.aborted) await this.#partitions.idle();
      await reading.close().catch(() => undefined);
      await sleep(backoff.next(), undefined, { signal }).catch(() => undefined);
    }
  }

  async #take(record: ReceivedKafkaRecord): Promise<boolean> {
    const message = parse(record);
    if (message instanceof Error) this.#failed(message, null);
    const { signal } = this.#stopping;
    const outcome = message instanceof Error ? "dead" : await processMessage(message, this.#process, signal);
    if (outcome === "stopped") return false;
    if (outcome === "dead" && !(await this.#bury(record))) return false;
    this.#counts[outcome] += 1;
    return true;
  }

  /** Tries until it is in the topic of dead letters. @returns false if it was stopped before */
  async #bury({ key, value, headers }: ReceivedKafkaRecord): Promise<boolean> {
    const { deadLetterTopic: topic } = this.#options;
    if (topic === undefined) return true;
    const { signal } = this.#stopping;
    const dead = { topic, key: key ?? "", value: new TextDecoder().decode(value), headers };
    for (const backoff = new Backoff(); !signal.aborted; ) {
      try {
        await this.#deadLetters.send([dead], signal);
        return true;
      } catch (error) {
        this.#failed(toError(error), null);
        await sleep(backoff.next(), undefined, { signal }).catch(() => undefined);
      }
    }
    return false;
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

function parse({ topic, value, headers }: ReceivedKafkaRecord): InboundMessage | Error {
  const attributes = Object.entries(headers).flatMap(([name, text]) =>
    name.startsWith("ce_") ? [[name.slice(3), text] as const] : [],
  );
  try {
    return parseDelivery({
      contentType: headers["content-type"],
      attributes: Object.fromEntries(attributes),
      body: value,
      topic,
    });
  } catch (error) {
    return toError(error);
  }
}
