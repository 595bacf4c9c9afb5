import { setTimeout as sleep } from "node:timers/promises";
import type { Channel, ConsumeMessage } from "amqplib";
import t, { type Test } from "tap";
import { type RabbitmqTransportOptions, rabbitmqTransport } from "../../src/transports/rabbitmq.ts";
import type { OutboundMessage, SendOutcome, Transport } from "../../src/transports/transport.ts";
import { type TransportSubject, transportContract, words } from "../support/contracts/transport-contract.ts";
import { outbound } from "../support/outbound.ts";
import { startProxy } from "../support/proxy.ts";
import { rabbitmqMissing as skip, testRabbitmq } from "../support/rabbitmq.ts";

t.setTimeout(240_000);
const { signal } = new AbortController();
const broker = skip ? null : await testRabbitmq(t);
let count = 0;

/** An exchange with a queue bound to all that begins with `waiting.`, and a transport to it. */
async function setUp(t: Test, options: Partial<RabbitmqTransportOptions> = {}) {
  if (!broker) throw new Error("no broker");
  count += 1;
  const [exchange, queue] = [`exchange-${count}`, `queue-${count}`];
  const channel = await broker.channel();
  await channel.assertExchange(exchange, "topic", { durable: true });
  await channel.assertQueue(queue, { durable: true });
  await channel.bindQueue(queue, exchange, "waiting.#");
  const transport = rabbitmqTransport({ name: "broker", url: broker.url, exchange, timeout: 5000, ...options });
  t.teardown(() => transport.close());
  return { exchange, queue, channel, transport, broker };
}

async function drain(channel: Channel, queue: string): Promise<ConsumeMessage["properties"][]> {
  const found: ConsumeMessage["properties"][] = [];
  for (;;) {
    const message = await channel.get(queue, { noAck: true });
    if (!message) return found;
    found.push(message.properties);
  }
}

async function subject(t: Test): Promise<TransportSubject> {
  const proxy = await startProxy(t, broker?.url ?? "");
  let refused = (_message: OutboundMessage) => false;
  const { transport, channel, queue } = await setUp(t, {
    url: proxy.url,
    timeout: 600,
    routingKey: (message) => (refused(message) ? "nowhere" : message.topic),
  });
  const received: string[] = [];
  return {
    transport,
    timeout: 600,
    refuse: (which) => {
      refused = which;
    },
    hang: () => proxy.hold(),
    answer: () => proxy.release(),
    received: async () => {
      await sleep(50);
      for (const { messageId } of await drain(channel, queue)) received.push(String(messageId));
      return received;
    },
  };
}

transportContract(t, "rabbitmq", subject, skip);

t.test("a persistent message with its envelope", { skip }, async (t) => {
  const { transport, channel, queue } = await setUp(t);
  const message = outbound({ correlationId: "0192d3c4-0000-7000-8000-00000000000b" });
  t.strictSame(await transport.send([message], { signal }), [{ ok: true }]);
  const found = await channel.get(queue, { noAck: true });
  if (!found) throw new Error("nothing there");
  t.match(found.fields, { routingKey: message.topic });
  t.match(found.properties, {
    deliveryMode: 2,
    contentType: "application/cloudevents+json; charset=UTF-8",
    messageId: message.messageId,
    type: message.type,
    correlationId: message.correlationId,
  });
  t.match(JSON.parse(found.content.toString("utf8")), {
    id: message.messageId,
    data: message.data,
    specversion: "1.0",
  });
});

t.test("binary: attributes in headers", { skip }, async (t) => {
  const { transport, channel, queue } = await setUp(t, { mode: "binary" });
  await transport.send([outbound({ key: "Saal – 3", data: { a: 1 } })], { signal });
  const found = await channel.get(queue, { noAck: true });
  if (!found) throw new Error("nothing there");
  t.equal(found.content.toString("utf8"), '{"a":1}');
  t.match(found.properties, {
    contentType: "application/json",
    headers: { "cloudEvents:specversion": "1.0", "cloudEvents:subject": "Saal – 3" },
  });
});

t.test("no queue is bound", { skip }, async (t) => {
  const { transport, channel, queue, exchange, broker } = await setUp(t);
  const messages = ["nobody.listens", "waiting.room"].map((topic) => outbound({ topic, key: topic }));
  const [lost, taken] = await transport.send(messages, { signal });
  t.match(lost, { ok: false, error: { name: "UnroutableError", code: "unroutable" } });
  t.strictSame(taken, { ok: true });
  await channel.bindQueue(queue, exchange, "nobody.#");
  t.strictSame(await transport.send(messages.slice(0, 1), { signal }), [{ ok: true }], "once one is");
  const dropping = rabbitmqTransport({ name: "drops", url: broker.url, exchange, unroutable: "drop" });
  t.strictSame(await dropping.send([outbound({ topic: "void" })], { signal }), [{ ok: true }]);
  await dropping.close();
});

t.test("a full queue that rejects", { skip }, async (t) => {
  const { transport, channel, exchange } = await setUp(t);
  const queue = `small-${exchange}`;
  await channel.assertQueue(queue, { arguments: { "x-max-length": 1, "x-overflow": "reject-publish" } });
  await channel.bindQueue(queue, exchange, "small");
  const messages = ["a", "b", "b"].map((key) => outbound({ topic: "small", key }));
  const [first, ...others] = await transport.send(messages, { signal });
  const outcomes = [first, ...others].filter((one) => one !== undefined);
  t.ok(
    outcomes.some((one) => !one.ok && one.error.name === "RejectedByBrokerError"),
    words(outcomes),
  );
});

t.test("a message whose headers are too large fails alone", { skip }, async (t) => {
  const { transport } = await setUp(t, { mode: "binary" });
  const messages = [outbound({ key: "a", metadata: { big: "x".repeat(70_000) } }), outbound({ key: "b" })];
  t.equal(words(await transport.send(messages, { signal })), "failed ok");
});

t.test("an exchange of another kind is said so", { skip }, async (t) => {
  const { channel, broker } = await setUp(t);
  await channel.assertExchange("taken", "fanout", { durable: true });
  const transport = rabbitmqTransport({ name: "broker", url: broker.url, exchange: "taken" });
  t.teardown(() => transport.close());
  const [outcome] = await transport.send([outbound()], { signal });
  t.match(outcome, { ok: false, unavailable: true, error: { message: /PRECONDITION_FAILED/ } });
});

t.test("the broker is stopped and started while messages are sent", { skip }, async (t) => {
  const { transport, queue, broker } = await setUp(t, { timeout: 2000 });
  const messages = Array.from({ length: 600 }, (_, i) => outbound({ key: `key-${i % 5}` }));
  const log: string[] = [];
  const sending = sendAll(transport, messages, log);
  await sleep(150);
  await broker.kill9();
  await sleep(500);
  await broker.start();
  await sending;
  t.match(log.join(" "), /failed/, "some were not taken");
  t.ok(log.includes("unavailable"), "and the broker is what was at fault");
  const arrived = (await drain(await broker.channel(), queue)).map(({ messageId }) => String(messageId));
  t.equal(new Set(arrived).size, messages.length, "all are there in the end");
  for (const [key, own] of Map.groupBy(messages, (message) => message.key)) {
    const ids = own.map((message) => message.messageId);
    t.strictSame(
      [...new Set(arrived)].filter((id) => ids.includes(id)),
      ids,
      `${key} in order of first deliveries`,
    );
  }
});

t.test("a blocked connection says so, and goes on afterwards", { skip }, async (t) => {
  const { transport, broker } = await setUp(t, { timeout: 1500 });
  t.equal(words(await transport.send([outbound()], { signal })), "ok");
  broker.control("set_vm_memory_high_watermark", "0");
  // the broker blocks whoever publishes
  const first = await transport.send([outbound()], { signal });
  const [second] = await transport.send([outbound()], { signal });
  broker.control("set_vm_memory_high_watermark", "0.8");
  t.equal(words(first), "failed");
  t.match(second, { ok: false, unavailable: true, error: { message: /takes no messages/ } });
  let outcome: SendOutcome | undefined;
  for (let i = 0; i < 50 && !outcome?.ok; i += 1) {
    await sleep(100);
    [outcome] = await transport.send([outbound()], { signal });
  }
  t.strictSame(outcome, { ok: true });
});

t.test("nobody there", async (t) => {
  const transport = rabbitmqTransport({ name: "broker", url: "amqp://127.0.0.1:1", exchange: "x" });
  const outcomes = await transport.send([outbound({ key: "a" }), outbound({ key: "b" })], { signal });
  t.equal(words(outcomes), "failed failed");
  for (const one of outcomes) t.match(one, { ok: false, unavailable: true, error: { name: "BrokerUnavailableError" } });
  await transport.close();
});

/** As a route would: what was not taken goes again, in order. */
async function sendAll(transport: Transport, messages: readonly OutboundMessage[], log: string[]): Promise<void> {
  let left = [...messages];
  while (left.length > 0) {
    const batch = left.slice(0, 20);
    const outcomes = await transport.send(batch, { signal });
    log.push(words(outcomes));
    if (outcomes.some((outcome) => !outcome.ok && outcome.unavailable)) log.push("unavailable");
    const again = batch.filter((_, place) => !outcomes[place]?.ok);
    left = [...again, ...left.slice(20)];
    if (again.length > 0) await sleep(50);
  }
}
