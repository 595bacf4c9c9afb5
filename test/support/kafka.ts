import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { type Consumer, Kafka, logLevel } from "kafkajs";
import type { Test } from "tap";
import {
  type KafkaClient,
  type KafkaConsumeOptions,
  KafkaUnavailableError,
} from "../../src/transports/kafka-client.ts";

/** `host:port` of brokers of Kafka, where there is a cluster to test with: `DAYBOOK_TEST_KAFKA`. */
export const kafkaBrokers: readonly string[] = (process.env.DAYBOOK_TEST_KAFKA ?? "").split(",").filter(Boolean);

/** Why what only a real Kafka can answer for is skipped; false where there is one. */
export const kafkaMissing: string | false =
  kafkaBrokers.length > 0
    ? false
    : "no Kafka: docker compose up -d --wait kafka, then DAYBOOK_TEST_KAFKA=127.0.0.1:9092 (or another one, 3.5 or later)";

/** False where kcat is there; otherwise why a test is skipped. */
export const kcatMissing: string | false =
  spawnSync("kcat", ["-V"], { stdio: "ignore" }).status === 0
    ? false
    : "kcat is missing: apt-get install --no-install-recommends kcat";

/**
 * Starts librdkafka's mock broker, which kcat brings. It speaks the protocol of Kafka, has consumer groups and offsets, and
 * makes topics of four partitions as they are named. It does not answer for idempotent producers (it compares no sequence
 * numbers), replication or durability, and speaks versions too old for @platformatic/kafka. It ends with the test.
 *
 * @returns its port
 */
export async function kafkaMock(t: Test): Promise<number> {
  const child: ChildProcess = spawn(
    "kcat",
    ["-b", "mock", "-X", "test.mock.num.brokers=1", "-X", "debug=mock", "-P", "-t", "keeps-it-running"],
    { stdio: ["pipe", "ignore", "pipe"] },
  );
  const end = () => void child.kill("SIGKILL");
  process.once("exit", end);
  t.teardown(() => {
    process.off("exit", end);
    end();
  });
  let said = "";
  return new Promise((done, fail) => {
    child.once("exit", () => fail(new Error(`kcat ended: ${said.slice(-500)}`)));
    child.stderr?.on("data", (chunk: Buffer) => {
      if (said.length < 10_000) said += chunk.toString("utf8");
      const port = /bootstrap\.servers=127\.0\.0\.1:(\d+)/.exec(said)?.[1];
      if (port) done(Number(port));
    });
  });
}

/** All records of a topic, partition after partition, by another client: kcat. */
export function kafkaRecords(
  brokers: string,
  topic: string,
): { key: string; value: string; headers: string; partition: number }[] {
  const format = "%p\\t%k\\t%h\\t%s\\n";
  const { stdout } = spawnSync(
    "kcat",
    ["-b", brokers, "-C", "-t", topic, "-o", "beginning", "-e", "-q", "-f", format],
    {
      encoding: "utf8",
      timeout: 10_000,
    },
  );
  return stdout
    .split("\n")
    .filter(Boolean)
    .map((line) => {
      const [partition = "", key = "", headers = "", value = ""] = line.split("\t");
      return { partition: Number(partition), key, headers, value };
    });
}

/** A client that speaks what the mock broker understands. Not idempotent. */
export function kafkajsClient(broker: string, timeout = 2000): KafkaClient {
  const kafka = new Kafka({
    clientId: "daybook-test",
    brokers: [broker],
    logLevel: logLevel.NOTHING,
    retry: { retries: 0 },
    connectionTimeout: timeout,
    requestTimeout: timeout,
  });
  return {
    async producer({ autocreateTopics }) {
      const producer = kafka.producer({ allowAutoTopicCreation: autocreateTopics, maxInFlightRequests: 1 });
      const away = (error: unknown) => {
        const name = error instanceof Error ? error.name : "";
        throw /Connection|NumberOfRetries|BrokerNotFound/.test(name)
          ? new KafkaUnavailableError(name, { cause: error })
          : error;
      };
      await producer.connect().catch(away);
      return {
        async send(records) {
          const topics = Map.groupBy(records, (record) => record.topic);
          const topicMessages = [...topics].map(([topic, own]) => ({
            topic,
            messages: own.map(({ key, value, headers }) => ({ key, value, headers: { ...headers } })),
          }));
          await producer.sendBatch({ acks: -1, topicMessages }).catch(away);
        },
        close: () => producer.disconnect(),
      };
    },
    consume: (options) => {
      const consumer = kafka.consumer({ groupId: options.groupId, sessionTimeout: 6000, heartbeatInterval: 500 });
      return {
        ended: follow(consumer, options),
        rewind: ({ topic, partition, offset }) => consumer.seek({ topic, partition, offset: String(offset) }),
        close: () => consumer.disconnect(),
      };
    },
  };
}

async function follow(consumer: Consumer, { topics, onRecord, onReady }: KafkaConsumeOptions): Promise<void> {
  const ended = Promise.withResolvers<void>();
  ended.promise.catch(() => undefined);
  consumer.on("consumer.crash", ({ payload }) => ended.reject(payload.error));
  consumer.on("consumer.disconnect", () => ended.resolve());
  consumer.on("consumer.group_join", onReady);
  await consumer.connect();
  await consumer.subscribe({ topics: [...topics], fromBeginning: true });
  await consumer.run({
    autoCommit: false,
    eachMessage: async ({ topic, partition, message }) => {
      const { offset, key, value, headers = {} } = message;
      const record = {
        topic,
        partition,
        offset: BigInt(offset),
        key: key?.toString("utf8") ?? null,
        value: value ?? Buffer.alloc(0),
        headers: Object.fromEntries(Object.entries(headers).map(([name, text]) => [name, String(text)])),
      };
      await onRecord(record, () => consumer.commitOffsets([{ topic, partition, offset: String(record.offset + 1n) }]));
    },
  });
  await ended.promise;
}
