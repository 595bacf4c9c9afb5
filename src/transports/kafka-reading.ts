import { Buffer } from "node:buffer";
import type { Consumer, Message, MessagesStream } from "@platformatic/kafka";
import type { KafkaConsumeOptions, KafkaReading, ReceivedKafkaRecord } from "./kafka-client.ts";

type Stream = MessagesStream<Buffer, Buffer, Buffer, Buffer>;

/** Reads with a consumer of @platformatic/kafka, as a member of its group. */
export function readRecords(open: () => Promise<Consumer>, input: KafkaConsumeOptions): KafkaReading {
  const reading = new Reading(input);
  const ended = reading.follow(open);
  // who follows it may come to it later
  ended.catch(() => undefined);
  return {
    ended,
    rewind: () => reading.again(),
    close: async () => {
      reading.stop();
      await settled(ended);
    },
  };
}

class Reading {
  readonly #input: KafkaConsumeOptions;
  #stream: Stream | undefined;
  #again = false;
  #stopped = false;
  /** What the client has given up for. */
  #error: Error | undefined;
  /** While the group hands its partitions out anew; resolves when it has. */
  #rejoining: PromiseWithResolvers<void> | undefined;

  constructor(input: KafkaConsumeOptions) {
    this.#input = input;
  }

  /** The client cannot go back in a stream: another one begins at the committed offsets. */
  again(): void {
    this.#again = true;
    this.#wakeUp();
  }

  stop(): void {
    this.#stopped = true;
    this.#wakeUp();
  }

  async follow(open: () => Promise<Consumer>): Promise<void> {
    const consumer = await open();
    this.#watch(consumer);
    try {
      do {
        this.#again = false;
        const last = this.#stream;
        this.#stream = await this.#begin(consumer);
        // not before: without any stream of its topics the member would leave them, and join once more
        await settled(last?.close());
        this.#input.onReady();
        await this.#readOn(this.#stream);
      } while (this.#again && !this.#stopped);
    } finally {
      this.#rejoined();
      await settled(this.#stream?.close());
      await settled(consumer.close(true));
    }
  }

  #watch(consumer: Consumer): void {
    consumer.on("error", (error: Error) => {
      this.#error = error;
      this.#wakeUp();
    });
    consumer.on("consumer:group:rebalance", () => {
      this.#rejoining ??= Promise.withResolvers();
    });
    consumer.on("consumer:group:join", () => this.#rejoined());
  }

  #rejoined(): void {
    this.#rejoining?.resolve();
    this.#rejoining = undefined;
  }

  /** Not while the group rejoins: the client would answer the broker's refusal by joining once more, and all others after it. */
  async #commit(message: Message): Promise<void> {
    await this.#rejoining?.promise;
    await message.commit();
  }

  #begin(consumer: Consumer): Promise<Stream> {
    const topics = [...this.#input.topics];
    return consumer.consume({ topics, mode: "committed", fallbackMode: "earliest", autocommit: false });
  }

  async #readOn(stream: Stream): Promise<void> {
    const records = stream.iterator({ destroyOnReturn: false });
    while (!this.#again && !this.#stopped && !this.#error) {
      const next = await new Promise<IteratorResult<Message> | undefined>((done, fail) => {
        this.#wakeUp = () => done(undefined);
        records.next().then(done, fail);
      });
      if (this.#error) throw this.#error;
      if (this.#again || this.#stopped || next === undefined || next.done) return;
      const message = next.value;
      await this.#input.onRecord(received(message), () => this.#commit(message));
    }
    if (this.#error) throw this.#error;
  }

  /** Ends the wait for the next record. */
  #wakeUp: () => void = () => undefined;
}

function received({ topic, partition, offset, key, value, headers }: Message): ReceivedKafkaRecord {
  return {
    topic,
    partition,
    offset,
    // tombstones have no value, and records may have no key, whatever the client's types say
    key: Buffer.isBuffer(key) ? key.toString("utf8") : null,
    value: Buffer.isBuffer(value) ? value : Buffer.alloc(0),
    headers: Object.fromEntries([...headers].map(([name, text]) => [String(name), String(text)])),
  };
}

/** Whether it ended well makes no difference. */
async function settled(work: unknown): Promise<void> {
  await Promise.resolve(work).catch(() => undefined);
}
