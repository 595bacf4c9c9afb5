import { importOptional, isUnreachable, toError } from "./errors.ts";
import { type KafkaClient, type KafkaProducer, KafkaUnavailableError } from "./kafka-client.ts";
import { readRecords } from "./kafka-reading.ts";

/** How the cluster is reached. */
export interface KafkaConnectionOptions {
  /** `host:port` of some of the brokers. */
  readonly brokers: readonly string[];
  /** Default `daybook`. */
  readonly clientId?: string | undefined;
  /** TLS options of Node; `{}` for the defaults. */
  readonly tls?: import("node:tls").ConnectionOptions | undefined;
  readonly sasl?:
    | {
        readonly mechanism: "PLAIN" | "SCRAM-SHA-256" | "SCRAM-SHA-512";
        readonly username: string;
        readonly password: string;
      }
    | undefined;
}

const packageName = "@platformatic/kafka";

/**
 * Milliseconds. Partitions of a member that was killed go to others when its session has timed out, and others join at the
 * latest when the rebalance has: that is before the client gives up its request to join (30 seconds).
 */
const membership = { sessionTimeout: 10_000, rebalanceTimeout: 20_000, heartbeatInterval: 2_000 };

/** The client @platformatic/kafka, for Kafka 3.5 and later. */
export function platformaticClient(options: KafkaConnectionOptions): KafkaClient {
  const base = {
    clientId: options.clientId ?? "daybook",
    bootstrapBrokers: [...options.brokers],
    // its own are for ever; here the caller tries again. None at all (0) leaves calls without an answer
    retries: 2,
    retryDelay: 200,
    ...(options.tls ? { tls: options.tls } : {}),
    ...(options.sasl ? { sasl: options.sasl } : {}),
  };
  return {
    async producer({ idempotent, autocreateTopics }): Promise<KafkaProducer> {
      const { Producer, ProduceAcks, stringSerializers } = await importOptional(
        packageName,
        () => import("@platformatic/kafka"),
      );
      const acks = ProduceAcks.ALL;
      const producer = new Producer({ ...base, serializers: stringSerializers, idempotent, acks, autocreateTopics });
      return {
        async send(records) {
          const messages = records.map(({ topic, key, value, headers }) => ({
            topic,
            key,
            value,
            headers: { ...headers },
          }));
          await producer.send({ messages, acks, idempotent }).catch((error: unknown) => {
            throw isAway(error)
              ? new KafkaUnavailableError(`Kafka cannot be reached: ${toError(error).message}`, { cause: error })
              : error;
          });
        },
        close: async () => {
          await producer.close(true);
        },
      };
    },
    consume: (input) =>
      readRecords(async () => {
        const { Consumer } = await importOptional(packageName, () => import("@platformatic/kafka"));
        return new Consumer({ ...base, ...membership, groupId: input.groupId });
      }, input),
  };
}

/** Network errors and timeouts, alone or as the reasons of another one. */
function isAway(error: unknown): boolean {
  if (isUnreachable(error)) return true;
  if (!(error instanceof Error)) return false;
  if ("code" in error && (error.code === "PLT_KFK_NETWORK" || error.code === "PLT_KFK_TIMEOUT")) return true;
  if (error instanceof AggregateError && error.errors.length > 0) return error.errors.every(isAway);
  return isAway(error.cause);
}
