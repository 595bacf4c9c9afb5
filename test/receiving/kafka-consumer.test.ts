import { setTimeout as sleep } from "node:timers/promises";
import t, { type Test } from "tap";
import { type KafkaConsumerOptions, kafkaConsumer } from "../../src/receiving/kafka-consumer.ts";
import { kafkaTransport } from "../../src/transports/kafka.ts";
import type { OutboundMessage } from "../../src/transports/transport.ts";
import { testDatabase } from "../support/database.ts";
import { kafkaBrokers, kafkajsClient, kafkaMissing, kafkaMock, kcatMissing as skip } from "../support/kafka.ts";
import { outbound } from "../support/outbound.ts";

t.setTimeout(600_000);
const { signal } = new AbortController();
const port = skip ? 0 : await kafkaMock(t);

/** What a cluster is reached by. */
type Cluster = Pick<KafkaConsumerOptions, "client" | "brokers">;

const mock = (): Cluster => ({ client: kafkajsClient(`127.0.0.1:${port}`) });

async function setUp(t: Test, cluster = mock) {
  const { db } = await testDatabase(t);
  await db.query("create table effects (n bigint generated always as identity, id text, key text)");
  const name = `daybook-${process.pid}-${Date.now()}`;
  const topic = (message: OutboundMessage) => (message.topic === "other" ? `${name}-other` : name);
  const transport = kafkaTransport({ name: "kafka", ...cluster(), topic, autocreateTopics: true });
  t.teardown(() => transport.close());
  const start = (more: Partial<KafkaConsumerOptions> = {}) => {
    const consumer = kafkaConsumer({
      ...cluster(),
      db,
      consumer: name,
      topics: [name],
      baseDelay: 10,
      handle: ({ id, key }, { tx }) => tx.query("insert into effects (id, key) values ($1, $2)", [id, key]),
      ...more,
    });
    t.teardown(() => consumer.stop());
    return consumer;
  };
  const effects = async () => (await db.query<{ id: string }>("select id from effects order by n")).map(({ id }) => id);
  const eventually = async (length: number, timeout = 30_000) => {
    for (const end = Date.now() + timeout; (await effects()).length < length && Date.now() < end; ) await sleep(50);
    return effects();
  };
  const send = async (messages: readonly OutboundMessage[]) => {
    const outcomes = await transport.send(messages, { signal });
    t.ok(
      outcomes.every(({ ok }) => ok),
      "sent",
    );
  };
  return { start, effects, eventually, send, name };
}

function ids(messages: readonly OutboundMessage[], key?: string): string[] {
  return messages.filter((one) => key === undefined || one.key === key).map((one) => one.messageId);
}

function inOrder(t: Test, done: readonly string[], messages: readonly OutboundMessage[]): void {
  t.strictSame([...done].sort(), ids(messages).sort(), "each once");
  for (const key of new Set(messages.map((one) => one.key))) {
    t.strictSame(
      done.filter((id) => ids(messages, key).includes(id)),
      ids(messages, key),
      `${key} in order`,
    );
  }
}

const clusters = [
  { cluster: "mock broker", make: mock, skip },
  { cluster: "Kafka", make: (): Cluster => ({ brokers: kafkaBrokers }), skip: kafkaMissing },
];

for (const { cluster, make, skip } of clusters) {
  t.test(`${cluster}: effects once and in order, and the offset after them`, { skip, timeout: 90_000 }, async (t) => {
    const { start, eventually, send } = await setUp(t, make);
    const messages = Array.from({ length: 60 }, (_, i) => outbound({ key: `room-${i % 5}` }));
    await send(messages);
    await send(messages.slice(0, 5));
    const first = start();
    inOrder(t, await eventually(60), messages);
    for (let i = 0; i < 100 && first.status().repeated < 5; i += 1) await sleep(50);
    t.match(first.status(), { state: "consuming", processed: 60, repeated: 5, dead: 0 });
    await first.stop();
    const more = [outbound({ key: "room-1" }), outbound({ key: "room-2" })];
    await send(more);
    const second = start();
    inOrder(t, await eventually(62), [...messages, ...more]);
    t.match(second.status(), { processed: 2, repeated: 0 }, "it goes on behind the committed offsets");
  });

  t.test(`${cluster}: a member that joins takes partitions over`, { skip, timeout: 120_000 }, async (t) => {
    const { start, eventually, send } = await setUp(t, make);
    const messages: OutboundMessage[] = [];
    const sendMore = async () => {
      const more = Array.from({ length: 30 }, (_, i) => outbound({ key: `room-${i % 10}` }));
      messages.push(...more);
      await send(more);
    };
    const slow: KafkaConsumerOptions["handle"] = async ({ id, key }, { tx }) => {
      await tx.query("insert into effects (id, key) values ($1, $2)", [id, key]);
      await sleep(20);
    };
    start({ handle: slow });
    await sendMore();
    await eventually(10);
    const second = start({ handle: slow });
    for (let i = 0; i < 60 && second.status().processed === 0; i += 1) {
      await sendMore();
      await sleep(300);
    }
    t.ok(second.status().processed > 0, "it was given some");
    inOrder(t, await eventually(messages.length, 60_000), messages);
  });

  t.test(`${cluster}: one partition waits, the others flow`, { skip, timeout: 120_000 }, async (t) => {
    const { start, effects, eventually, send, name } = await setUp(t, make);
    let failing = true;
    const poison = outbound({ key: "poison" });
    // more of them than are kept behind the one that fails
    const behind = Array.from({ length: 250 }, () => outbound({ key: "poison" }));
    const others = Array.from({ length: 60 }, (_, i) => outbound({ key: `room-${i % 3}`, topic: "other" }));
    const topics = [name, `${name}-other`] as const;
    const handle: KafkaConsumerOptions["handle"] = async ({ id, key }, { tx }) => {
      if (failing && id === poison.messageId) throw new Error("not yet");
      await tx.query("insert into effects (id, key) values ($1, $2)", [id, key]);
    };
    await send([poison, ...behind]);
    await send(others.slice(0, 30));
    const first = start({ topics, handle });
    await eventually(30);
    await send(others.slice(30));
    inOrder(t, await eventually(60), others);
    t.ok(first.status().failures > 0, "it was tried");
    failing = false;
    inOrder(t, await eventually(311, 60_000), [poison, ...behind, ...others]);
    t.match(first.status(), { state: "consuming", processed: 311, dead: 0 }, "what was left out was read again");

    await first.stop();
    failing = true;
    const next = outbound({ key: "poison" });
    const stuck = start({ topics, handle: async () => Promise.reject(new Error("not yet")) });
    await send([next]);
    for (let i = 0; i < 600 && stuck.status().failures === 0; i += 1) await sleep(50);
    await stuck.stop();
    t.equal((await effects()).length, 311);
    const last = start({ topics, handle });
    t.equal((await eventually(312)).at(-1), next.messageId, "its offset was not committed");
    t.match(last.status(), { processed: 1, repeated: 0 }, "those of the others were");
  });
}

t.test("what fails is tried again, then goes to the topic of dead letters", { skip, timeout: 60_000 }, async (t) => {
  const { start, eventually, send, name } = await setUp(t);
  const messages = ["a", "a", "a"].map((key) => outbound({ key }));
  const consumer = start({
    attempts: 2,
    deadLetterTopic: `${name}.dead`,
    handle: async ({ id }, { tx }) => {
      if (id === messages[1]?.messageId) throw new Error("poison");
      await tx.query("insert into effects (id) values ($1)", [id]);
    },
  });
  await send(messages);
  t.strictSame(await eventually(2), [messages[0]?.messageId, messages[2]?.messageId]);
  t.match(consumer.status(), { processed: 2, dead: 1, failures: 2, lastError: { message: "poison" } });
  const dead: string[] = [];
  const buried = start({
    consumer: `${name}-dead`,
    topics: [`${name}.dead`],
    handle: async ({ id }) => dead.push(id),
  });
  for (let i = 0; i < 300 && dead.length < 1; i += 1) await sleep(50);
  await buried.stop();
  t.strictSame(dead, [messages[1]?.messageId], "as it was sent");
});

t.test("without such a topic the partition waits", { skip, timeout: 60_000 }, async (t) => {
  const { start, eventually, send } = await setUp(t);
  const messages = ["a", "a"].map((key) => outbound({ key }));
  let tries = 0;
  const consumer = start({
    attempts: 2,
    handle: async ({ id }, { tx }) => {
      tries += 1;
      if (tries < 5) throw new Error("not yet");
      await tx.query("insert into effects (id) values ($1)", [id]);
    },
  });
  await send(messages);
  t.strictSame(await eventually(2), ids(messages));
  t.match(consumer.status(), { processed: 2, dead: 0, failures: 4 });
});
