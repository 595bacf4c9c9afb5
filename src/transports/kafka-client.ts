/**
 * What Daybook needs of a client of Kafka. The default is @platformatic/kafka (kafka-platformatic.ts); an application that
 * has another one already hands it over behind this.
 *
 * @module
 */

/** A record to be written. */
export interface KafkaRecord {
  readonly topic: string;
  /** Records of one key go to one partition. */
  readonly key: string;
  readonly value: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** A record that was read. */
export interface ReceivedKafkaRecord {
  readonly topic: string;
  readonly partition: number;
  readonly offset: bigint;
  readonly key: string | null;
  readonly value: Uint8Array;
  readonly headers: Readonly<Record<string, string>>;
}

/** Writes records. */
export interface KafkaProducer {
  /**
   * Resolves when all in-sync replicas have them all; those of one partition in the order given. Never called again before
   * it has ended, and not at all after it has rejected or was given up: then a new producer is made.
   *
   * @throws KafkaUnavailableError if the cluster cannot be reached; any other error says that a record was refused
   */
  send(records: readonly KafkaRecord[]): Promise<void>;
  close(): Promise<void>;
}

/** How records are read. */
export interface KafkaConsumeOptions {
  readonly groupId: string;
  readonly topics: readonly string[];
  /**
   * Called with every record that was read, those of one partition in their order, and with what commits its offset (that
   * is: the one behind it). Not called again before it has resolved. It does not reject.
   */
  readonly onRecord: (record: ReceivedKafkaRecord, commit: () => Promise<void>) => Promise<void>;
  /** Called when it is a member of the group. */
  readonly onReady: () => void;
}

/** A member of a group that reads, until it is closed or lost. */
export interface KafkaReading {
  /** Rejects when the group or the connection is lost; resolves when reading ended otherwise. */
  readonly ended: Promise<void>;
  /** Has this record read again, and those after it in its partition. Records of other partitions may come again too. */
  rewind(record: ReceivedKafkaRecord): void;
  /** Leaves the group. */
  close(): Promise<void>;
}

/** A client of Kafka. */
export interface KafkaClient {
  producer(options: { readonly idempotent: boolean; readonly autocreateTopics: boolean }): Promise<KafkaProducer>;
  /** Reads from the group's committed offsets, or from the beginning. Returns at once. */
  consume(options: KafkaConsumeOptions): KafkaReading;
}

/** The cluster cannot be reached. */
export class KafkaUnavailableError extends Error {
  override readonly name = "KafkaUnavailableError";
  readonly code = "broker_unavailable";
}
