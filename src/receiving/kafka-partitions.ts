import { setTimeout as sleep } from "node:timers/promises";
import type { ReceivedKafkaRecord } from "../transports/kafka-client.ts";

/** Records of one partition that wait behind the one in hand, at most. */
const limit = 100;
/** How long reading waits for a partition whose records wait to that number, in milliseconds. */
const patience = 1000;

/** What is done with the records of a partition. */
export interface PartitionWork {
  /** Processes a record. False: it was given up, and the partition's other records with it. Must not reject. */
  readonly process: (record: ReceivedKafkaRecord) => Promise<boolean>;
  /** Asks for this record, and those after it, to be read again. */
  readonly rewind: (record: ReceivedKafkaRecord) => void;
}

/** A partition of which a record is in hand. */
interface Partition {
  readonly waiting: { record: ReceivedKafkaRecord; commit: () => Promise<void> }[];
  /** Behind the last that was taken in. */
  next: bigint;
  /** The first that was left out, for want of room: it and those after it are read again. */
  leftOut: ReceivedKafkaRecord | undefined;
  /** Resolves when the next one is taken in hand. */
  moved: PromiseWithResolvers<void>;
}

/**
 * Processes the records of each partition one after the other, several partitions at the same time: a record that takes long,
 * or is tried again and again, holds up its own partition and no other one. Some records are kept behind it; those there is
 * no room for are left out, and read again when the partition has come that far.
 */
export class KafkaPartitions {
  readonly #work: PartitionWork;
  readonly #partitions = new Map<string, Partition>();
  #idle = Promise.withResolvers<void>();

  constructor(work: PartitionWork) {
    this.#work = work;
    this.#idle.resolve();
  }

  /**
   * Takes a record in; resolves when the next may be read. `commit` is called when it has been processed. What is read again
   * while it is in hand or waits is passed over.
   */
  async take(record: ReceivedKafkaRecord, commit: () => Promise<void>): Promise<void> {
    const key = `${record.topic}:${record.partition}`;
    for (const until = Date.now() + patience; ; ) {
      const partition = this.#partitions.get(key);
      if (!partition) {
        if (this.#partitions.size === 0) this.#idle = Promise.withResolvers();
        const first = { waiting: [{ record, commit }], next: record.offset + 1n, leftOut: undefined };
        const begun = { ...first, moved: Promise.withResolvers<void>() };
        this.#partitions.set(key, begun);
        void this.#run(key, begun);
        return;
      }
      if (record.offset < partition.next || partition.leftOut) return;
      if (partition.waiting.length < limit) {
        partition.waiting.push({ record, commit });
        partition.next = record.offset + 1n;
        return;
      }
      const left = until - Date.now();
      if (left <= 0) {
        partition.leftOut = record;
        return;
      }
      await soon(partition.moved.promise, left);
    }
  }

  /** Resolves when nothing is in hand. */
  idle(): Promise<void> {
    return this.#idle.promise;
  }

  async #run(key: string, partition: Partition): Promise<void> {
    let goesOn = true;
    while (goesOn) {
      const one = partition.waiting.shift();
      if (!one) break;
      partition.moved.resolve();
      partition.moved = Promise.withResolvers();
      goesOn = await this.#work.process(one.record);
      // not committed: it is read again, and found processed
      if (goesOn) await one.commit().catch(() => undefined);
    }
    this.#partitions.delete(key);
    partition.moved.resolve();
    if (goesOn && partition.leftOut) this.#work.rewind(partition.leftOut);
    if (this.#partitions.size === 0) this.#idle.resolve();
  }
}

/** Resolves with the work, or after so many milliseconds. */
async function soon(work: Promise<void>, ms: number): Promise<void> {
  const over = new AbortController();
  await Promise.race([work, sleep(ms, undefined, { signal: over.signal }).catch(() => undefined)]);
  over.abort();
}
