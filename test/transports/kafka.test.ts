import t, { type Test } from "tap";
import { kafkaTransport } from "../../src/transports/kafka.ts";
import type { KafkaClient, KafkaRecord } from "../../src/transports/kafka-client.ts";
import type { OutboundMessage } from "../../src/transports/transport.ts";
import { type TransportSubject, transportContract, words } from "../support/contracts/transport-contract.ts";
import { kafkajsClient, kafkaMock, kafkaRecords, kcatMissing } from "../support/kafka.ts";
import { outbound } from "../support/outbound.ts";

t.setTimeout(240_000);
const { signal } = new AbortController();
const port = kcatMissing ? 0 : await kafkaMock(t);
let count = 0;

function subject(target: number, client: (broker: string) => KafkaClient) {
  return async (t: Test): Promise<TransportSubject> => {
    count += 1;
    const topic = `contract-${process.pid}-${count}`;
    let refused = (_message: OutboundMessage) => false;
    // brokers tell clients their own addresses, so answers are kept back here, and not on the way
    const gate = { hold: false, open: Promise.withResolvers<void>() };
    const transport = kafkaTransport({
      name: "kafka",
      client: held(client(`127.0.0.1:${target}`), gate),
      topic: (message) => (refused(message) ? "no topic" : topic),
      autocreateTopics: true,
      timeout: 3000,
    });
    t.teardown(() => transport.close());
    return {
      transport,
      timeout: 3000,
      refuse: (which) => {
        refused = which;
      },
      hang: () => {
        gate.hold = true;
      },
      answer: () => {
        gate.hold = false;
        gate.open.resolve();
      },
      received: async () =>
        kafkaRecords(`127.0.0.1:${target}`, topic).map(({ headers }) => /ce_id=([^,]+)/.exec(headers)?.[1] ?? ""),
    };
  };
}

/** A client whose answers are kept back: records are written, and nobody is told. */
function held(client: KafkaClient, gate: { hold: boolean; open: PromiseWithResolvers<void> }): KafkaClient {
  return {
    ...client,
    async producer(options) {
      const producer = await client.producer(options);
      return {
        close: () => producer.close(),
        async send(records) {
          await producer.send(records);
          if (gate.hold) await gate.open.promise;
        },
      };
    },
  };
}

transportContract(t, "kafka, mock broker", subject(port, kafkajsClient), kcatMissing);

t.test("key, headers and topic of a record", { skip: kcatMissing }, async (t) => {
  const transport = kafkaTransport({
    name: "kafka",
    client: kafkajsClient(`127.0.0.1:${port}`),
    autocreateTopics: true,
  });
  t.teardown(() => transport.close());
  const message = outbound({ topic: "by-category", key: "room-1", data: { a: 9007199254740993n } });
  t.strictSame(await transport.send([message], { signal }), [{ ok: true }]);
  const [record] = kafkaRecords(`127.0.0.1:${port}`, "by-category");
  t.match(record, { key: "room-1", value: '{"a":9007199254740993}', headers: `ce_id=${message.messageId}` });
  t.match(record?.headers, "content-type=application/json");
  const fixed = kafkaTransport({
    name: "kafka",
    client: kafkajsClient(`127.0.0.1:${port}`),
    autocreateTopics: true,
    topic: "fixed",
    mode: "structured",
  });
  t.teardown(() => fixed.close());
  await fixed.send([message], { signal });
  const [whole] = kafkaRecords(`127.0.0.1:${port}`, "fixed");
  t.match(whole?.headers, "content-type=application/cloudevents+json");
  t.match(JSON.parse(whole?.value ?? ""), { id: message.messageId, partitionkey: "room-1" });
});

t.test("a key stays in its partition, and keys spread", { skip: kcatMissing }, async (t) => {
  const transport = kafkaTransport({
    name: "kafka",
    client: kafkajsClient(`127.0.0.1:${port}`),
    autocreateTopics: true,
  });
  t.teardown(() => transport.close());
  const messages = Array.from({ length: 80 }, (_, i) => outbound({ topic: "spread", key: `room-${i % 20}` }));
  await transport.send(messages, { signal });
  const records = kafkaRecords(`127.0.0.1:${port}`, "spread");
  for (const [key, own] of Map.groupBy(records, (record) => record.key)) {
    t.equal(new Set(own.map(({ partition }) => partition)).size, 1, key);
  }
  t.ok(new Set(records.map(({ partition }) => partition)).size > 1);
});

t.test("one send at a time, and a new producer after a failure", async (t) => {
  const log: string[] = [];
  let underWay = 0;
  let failNext = false;
  const client: KafkaClient = {
    async producer({ idempotent }) {
      log.push(`producer ${idempotent}`);
      return {
        async send(records: readonly KafkaRecord[]) {
          underWay += 1;
          t.equal(underWay, 1, "alone");
          await new Promise(setImmediate);
          underWay -= 1;
          log.push(`send ${records.length}`);
          if (records.some(({ key }) => key === "bad") || failNext) throw new Error("refused");
        },
        async close() {
          log.push("close");
        },
      };
    },
    consume: () => ({ ended: Promise.resolve(), rewind: () => undefined, close: async () => undefined }),
  };
  const transport = kafkaTransport({ name: "kafka", client, topic: "t" });
  const send = (...keys: string[]) =>
    transport.send(
      keys.map((key) => outbound({ key })),
      { signal },
    );
  const all = await Promise.all([send("a", "b"), send("c")]);
  t.strictSame(all.map(words), ["ok ok", "ok"]);
  t.equal(words(await send("a", "bad", "a", "bad", "b")), "ok failed ok held ok");
  failNext = true;
  t.equal(words(await send("a", "a")), "failed held");
  await transport.close();
  t.equal(log.filter((line) => line === "producer true").length, log.filter((line) => line === "close").length);
});

t.test("nobody there", { skip: kcatMissing }, async (t) => {
  const transport = kafkaTransport({ name: "kafka", client: kafkajsClient("127.0.0.1:1"), topic: "t" });
  t.teardown(() => transport.close());
  const [outcome] = await transport.send([outbound()], { signal });
  t.match(outcome, { ok: false, unavailable: true });
});

t.test("nobody there, by the default client", async (t) => {
  const transport = kafkaTransport({ name: "kafka", brokers: ["127.0.0.1:1"], topic: "t", timeout: 20_000 });
  t.teardown(() => transport.close());
  const [outcome] = await transport.send([outbound()], { signal });
  t.match(outcome, { ok: false, unavailable: true, error: { name: "KafkaUnavailableError" } });
});

t.test("options that are wrong", async (t) => {
  t.throws(() => kafkaTransport({ name: "kafka" }), { name: "TypeError" });
  t.throws(() => kafkaTransport({ name: "", brokers: ["a:1"] }), { name: "ZodError" });
});
