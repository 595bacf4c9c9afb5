import { setTimeout as sleep } from "node:timers/promises";
import t, { type Test } from "tap";
import type { Db } from "../../src/db.ts";
import { type RabbitmqConsumerOptions, rabbitmqConsumer } from "../../src/receiving/rabbitmq-consumer.ts";
import { rabbitmqTransport } from "../../src/transports/rabbitmq.ts";
import type { OutboundMessage } from "../../src/transports/transport.ts";
import { testDatabase } from "../support/database.ts";
import { outbound } from "../support/outbound.ts";
import { startProxy } from "../support/proxy.ts";
import { rabbitmqMissing as skip, testRabbitmq } from "../support/rabbitmq.ts";

t.setTimeout(240_000);
const { signal } = new AbortController();
const broker = skip ? null : await testRabbitmq(t);
let count = 0;

/** A transport to an exchange, and what a consumer of it needs; its effects are rows in the order they were written. */
async function setUp(t: Test) {
  if (!broker) throw new Error("no broker");
  count += 1;
  const { db } = await testDatabase(t);
  await db.query("create table effects (n bigint generated always as identity, id text, key text)");
  const transport = rabbitmqTransport({
    name: "broker",
    url: broker.url,
    exchange: `exchange-${count}`,
    timeout: 5000,
  });
  t.teardown(() => transport.close());
  const options: RabbitmqConsumerOptions = {
    url: broker.url,
    db,
    consumer: "projection",
    exchange: `exchange-${count}`,
    queue: `queue-${count}`,
    bindings: ["waiting.room.*"],
    baseDelay: 10,
    handle: ({ id, key }, { tx }) => tx.query("insert into effects (id, key) values ($1, $2)", [id, key]),
  };
  const start = async (more: Partial<RabbitmqConsumerOptions> = {}) => {
    const consumer = await rabbitmqConsumer({ ...options, ...more });
    t.teardown(() => consumer.stop());
    return consumer;
  };
  const effects = async () => (await db.query<{ id: string }>("select id from effects order by n")).map(({ id }) => id);
  const eventually = async (length: number, timeout = 20_000) => {
    for (const deadline = Date.now() + timeout; (await effects()).length < length && Date.now() < deadline; )
      await sleep(20);
    return effects();
  };
  const send = async (messages: readonly OutboundMessage[]) => {
    const outcomes = await transport.send(messages, { signal });
    t.ok(
      outcomes.every(({ ok }) => ok),
      "sent",
    );
  };
  return { broker, db, start, effects, eventually, send, transport, queue: options.queue };
}

function ids(messages: readonly OutboundMessage[], key?: string): string[] {
  return messages.filter((one) => key === undefined || one.key === key).map((one) => one.messageId);
}

t.test("effects in order, once, and only of what is bound", { skip }, async (t) => {
  const { start, eventually, send, broker, queue } = await setUp(t);
  const consumer = await start();
  const messages = Array.from({ length: 100 }, (_, i) => outbound({ key: `room-${i % 3}` }));
  await send(messages);
  await send(messages.slice(0, 10));
  const done = await eventually(100);
  t.strictSame([...done].sort(), ids(messages).sort(), "each once");
  for (const key of ["room-0", "room-1", "room-2"]) {
    t.strictSame(
      done.filter((id) => ids(messages, key).includes(id)),
      ids(messages, key),
      `${key} in order`,
    );
  }
  for (let i = 0; i < 100 && consumer.status().repeated < 10; i += 1) await sleep(20);
  t.match(consumer.status(), { state: "consuming", processed: 100, repeated: 10, dead: 0, failures: 0 });
  await consumer.stop();
  t.equal(consumer.status().state, "stopped");
  const left = await (await broker.channel()).checkQueue(queue);
  t.equal(left.messageCount, 0, "all acknowledged");
});

t.test("what fails is tried again while its key waits, then is a dead letter", { skip }, async (t) => {
  const { start, eventually, send, broker, queue } = await setUp(t);
  const messages = ["a", "a", "b", "a"].map((key) => outbound({ key }));
  const [bad] = messages;
  const tries: number[] = [];
  const consumer = await start({
    attempts: 3,
    handle: async ({ id, key }, { tx, attempt }) => {
      await tx.query("insert into effects (id, key) values ($1, $2)", [id, key]);
      if (id !== bad?.messageId) return;
      tries.push(attempt);
      throw new Error("poison");
    },
  });
  await send(messages);
  const done = await eventually(3);
  t.strictSame(tries, [1, 2, 3]);
  t.strictSame(
    done.filter((id) => id !== messages[2]?.messageId),
    [messages[1]?.messageId, messages[3]?.messageId],
  );
  const channel = await broker.channel();
  const dead = await channel.get(`${queue}.dead`, { noAck: true });
  t.equal(dead ? dead.properties.messageId : null, bad?.messageId);
  t.match(consumer.status(), { processed: 3, dead: 1, failures: 3, lastError: { message: "poison" } });
});

t.test("what is no CloudEvent is a dead letter at once", { skip }, async (t) => {
  const { start, broker, queue } = await setUp(t);
  const errors: Error[] = [];
  const consumer = await start({ onError: (error) => errors.push(error) });
  const channel = await broker.channel();
  channel.sendToQueue(queue, Buffer.from("hello"));
  for (let i = 0; i < 100 && consumer.status().dead < 1; i += 1) await sleep(20);
  t.match(errors, [{ name: "NotACloudEventError" }]);
  for (let i = 0; i < 50; i += 1) {
    const found = await channel.get(`${queue}.dead`, { noAck: true });
    if (found) t.equal(found.content.toString("utf8"), "hello");
    if (found) return;
    await sleep(20);
  }
  t.fail("no dead letter");
});

t.test("what waits too long is a dead letter", { skip }, async (t) => {
  const { start, send, broker, queue, effects } = await setUp(t);
  const consumer = await start({ messageTtl: 100 });
  await consumer.stop();
  await send([outbound()]);
  await sleep(400);
  const channel = await broker.channel();
  t.equal((await channel.checkQueue(queue)).messageCount, 0);
  t.equal((await channel.checkQueue(`${queue}.dead`)).messageCount, 1);
  t.strictSame(await effects(), []);
});

t.test("the connection is cut again and again: effects once, in order", { skip }, async (t) => {
  const { start, eventually, send, broker } = await setUp(t);
  const proxy = await startProxy(t, broker.url);
  const consumer = await start({
    url: proxy.url,
    prefetch: 20,
    handle: async ({ id, key }, { tx }) => {
      await tx.query("insert into effects (id, key) values ($1, $2)", [id, key]);
      await sleep(5);
    },
  });
  const messages = Array.from({ length: 300 }, (_, i) => outbound({ key: `room-${i % 3}` }));
  const cutting = (async () => {
    for (let i = 0; i < 6; i += 1) {
      await sleep(150);
      proxy.interrupt();
    }
  })();
  await send(messages);
  await cutting;
  const done = await eventually(300);
  t.strictSame([...done].sort(), ids(messages).sort(), "each once");
  for (const key of ["room-0", "room-1", "room-2"]) {
    t.strictSame(
      done.filter((id) => ids(messages, key).includes(id)),
      ids(messages, key),
      `${key} in order`,
    );
  }
  const { repeated, failures } = consumer.status();
  t.ok(failures >= 3, `it was cut: ${failures}`);
  t.ok(repeated > 0, `and what had been committed came again: ${repeated}`);
});

t.test("the broker is killed and comes again: the queue has kept what it took", { skip }, async (t) => {
  const { start, eventually, send, broker } = await setUp(t);
  const messages = Array.from({ length: 40 }, () => outbound());
  const consumer = await start({
    handle: async ({ id }, { tx }) => {
      await sleep(20);
      await tx.query("insert into effects (id) values ($1)", [id]);
    },
  });
  await send(messages);
  await eventually(3);
  await broker.kill9();
  await broker.start();
  t.strictSame(await eventually(40), ids(messages));
  t.equal(consumer.status().state, "consuming");
});

t.test("two consumers of one queue: one at a time, the other takes over", { skip }, async (t) => {
  const { start, eventually, send } = await setUp(t);
  const [first, second] = [await start(), await start()];
  const messages = Array.from({ length: 30 }, () => outbound());
  await send(messages.slice(0, 20));
  t.strictSame(await eventually(20), ids(messages.slice(0, 20)));
  t.strictSame([first.status().processed, second.status().processed], [20, 0]);
  await first.stop();
  await send(messages.slice(20));
  t.strictSame(await eventually(30), ids(messages));
  t.equal(second.status().processed, 10);
});

t.test("nobody there", async (t) => {
  const { db } = await testDatabase(t);
  const starting = rabbitmqConsumer({
    url: "amqp://127.0.0.1:1",
    db,
    consumer: "c",
    exchange: "e",
    queue: "q",
    bindings: ["#"],
    handle: async () => undefined,
  });
  await t.rejects(starting, { name: "BrokerUnavailableError" });
});

t.test("while the database is away, no try is used up", { skip }, async (t) => {
  const { start, send, eventually, effects, db } = await setUp(t);
  let away = true;
  const unreliable: Db = {
    query: (text, values, options) => db.query(text, values, options),
    transaction: (work) => (away ? Promise.reject(new Error("no connection to be had")) : db.transaction(work)),
  };
  const consumer = await start({ attempts: 2, db: unreliable });
  const messages = [outbound(), outbound()];
  await send(messages);
  for (let i = 0; i < 200 && consumer.status().failures < 4; i += 1) await sleep(20);
  t.strictSame(await effects(), []);
  away = false;
  t.strictSame(await eventually(2), ids(messages));
  t.match(consumer.status(), { processed: 2, dead: 0 });
});

t.test("in the tenant of the message", { skip }, async (t) => {
  const { start, send, eventually, db } = await setUp(t);
  await start({
    tenant: "message",
    handle: ({ id }, { tx }) =>
      tx.query("insert into effects (id, key) values ($1, current_setting('daybook.tenant'))", [id]),
  });
  await send([outbound({ tenantId: "clinic-a" }), outbound({ tenantId: "clinic-b", key: "other" })]);
  await eventually(2);
  t.strictSame(await db.query("select key from effects order by key"), [{ key: "clinic-a" }, { key: "clinic-b" }]);
});
