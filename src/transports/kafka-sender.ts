import { TransportTimeoutError } from "./errors.ts";
import type { KafkaClient, KafkaProducer, KafkaRecord } from "./kafka-client.ts";

/** One send at a time over one producer; after one that failed, or was given up, over a new one. */
export class KafkaSender {
  readonly #client: KafkaClient;
  readonly #options: { readonly idempotent: boolean; readonly autocreateTopics: boolean; readonly timeout: number };
  #producer: Promise<KafkaProducer> | undefined;
  #last: Promise<void> = Promise.resolve();
  /** Producers that were given up, on their way out. */
  readonly #leaving = new Set<Promise<void>>();

  constructor(client: KafkaClient, options: { idempotent: boolean; autocreateTopics: boolean; timeout: number }) {
    this.#client = client;
    this.#options = options;
  }

  /** @throws what the producer throws; TransportTimeoutError; the signal's reason */
  send(records: readonly KafkaRecord[], signal: AbortSignal): Promise<void> {
    const turn = this.#last.then(() => this.#send(records, signal));
    this.#last = turn.catch(() => undefined);
    return turn;
  }

  async close(): Promise<void> {
    await this.#last;
    this.#discard();
    await Promise.allSettled(this.#leaving);
  }

  async #send(records: readonly KafkaRecord[], signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    const { timeout } = this.#options;
    const over = Promise.withResolvers<never>();
    const onAbort = () => over.reject(signal.reason);
    signal.addEventListener("abort", onAbort, { once: true });
    const timer = setTimeout(
      () => over.reject(new TransportTimeoutError(`${records.length} messages had no answer within ${timeout} ms`)),
      timeout,
    );
    try {
      this.#producer ??= this.#client.producer(this.#options);
      const sending = this.#producer.then((producer) => producer.send(records));
      await Promise.race([sending, over.promise]);
    } catch (error) {
      this.#discard();
      throw error;
    } finally {
      clearTimeout(timer);
      signal.removeEventListener("abort", onAbort);
    }
  }

  #discard(): void {
    const leaving = this.#producer?.then((producer) => producer.close()).catch(() => undefined);
    this.#producer = undefined;
    if (!leaving) return;
    this.#leaving.add(leaving);
    leaving.then(() => this.#leaving.delete(leaving));
  }
}
