import type { ConfirmChannel } from "amqplib";
import { z } from "zod";

/** The queue a consumer reads, and how it is filled. */
export interface RabbitmqQueueOptions {
  readonly queue: string;
  /** The topic exchange it is bound to. */
  readonly exchange: string;
  /** Routing keys it is bound with: `waiting.room.*` (one word), `waiting.#` (any number of words). */
  readonly bindings: readonly string[];
  /** How long a message may wait in the queue, in milliseconds; then it is a dead letter. Default: for ever. */
  readonly messageTtl?: number | undefined;
  /**
   * Where dead letters go: a durable topic exchange and a queue bound to all of it. Default `<queue>.dead` for both. False:
   * nowhere: a message is tried for ever, and what is no CloudEvent at all is dropped.
   */
  readonly deadLetters?: { readonly exchange: string; readonly queue: string } | false | undefined;
  /** `classic` (the default) or `quorum` (replicated, for clusters). */
  readonly queueType?: "classic" | "quorum" | undefined;
  /** False: several consumers share the queue, and the order of a key is not kept among them. */
  readonly singleActiveConsumer?: boolean | undefined;
}

const name = z.string().min(1).max(255);

/** The options of a queue, checked. */
export const queueOptions = {
  queue: name,
  exchange: name,
  bindings: z.array(z.string().max(255)).nonempty(),
  messageTtl: z.int().min(0).max(4_294_967_295).optional(),
  deadLetters: z.union([z.strictObject({ exchange: name, queue: name }), z.literal(false)]).optional(),
  queueType: z.enum(["classic", "quorum"]).default("classic"),
  singleActiveConsumer: z.boolean().default(true),
};

type QueueOptions = z.output<z.ZodObject<typeof queueOptions>>;

/** Where the dead letters of a queue go, or false. */
export function deadLettersOf({ queue, deadLetters }: Pick<QueueOptions, "queue" | "deadLetters">) {
  return deadLetters ?? { exchange: `${queue}.dead`, queue: `${queue}.dead` };
}

/** Declares all that a consumer needs. What is there already must be as it is declared here, or the broker refuses. */
export async function declareQueue(channel: ConfirmChannel, options: QueueOptions): Promise<void> {
  const { queue, exchange, bindings, messageTtl, queueType, singleActiveConsumer } = options;
  const dead = deadLettersOf(options);
  await channel.assertExchange(exchange, "topic", { durable: true });
  if (dead) {
    await channel.assertExchange(dead.exchange, "topic", { durable: true });
    await channel.assertQueue(dead.queue, { durable: true, arguments: { "x-queue-type": queueType } });
    await channel.bindQueue(dead.queue, dead.exchange, "#");
  }
  await channel.assertQueue(queue, {
    durable: true,
    arguments: {
      "x-queue-type": queueType,
      ...(singleActiveConsumer ? { "x-single-active-consumer": true } : {}),
      ...(messageTtl === undefined ? {} : { "x-message-ttl": messageTtl }),
      ...(dead ? { "x-dead-letter-exchange": dead.exchange } : {}),
    },
  });
  for (const binding of bindings) await channel.bindQueue(queue, exchange, binding);
}
