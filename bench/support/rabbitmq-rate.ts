import type pg from "pg";
import { defineRoute, drainRoute, rabbitmqTransport, registerRoute } from "../../src/index.ts";
import { rabbitmqMissing, testRabbitmq } from "../../test/support/rabbitmq.ts";
import { median } from "./measure.ts";
import type { Row } from "./report.ts";

/**
 * Draining the outbox into RabbitMQ: persistent messages of 1,000 streams to a durable queue, each counted when the broker
 * has confirmed it. Null, and a line on stderr, where RabbitMQ is not installed.
 */
export async function toRabbitmq(pool: pg.Pool, rounds: number, messages: number): Promise<Row | null> {
  if (rabbitmqMissing) {
    process.stderr.write(`The row of RabbitMQ is left out. ${rabbitmqMissing}\n`);
    return null;
  }
  await using endings = new AsyncDisposableStack();
  const broker = await testRabbitmq({
    teardown: (end: () => unknown) => endings.defer(async () => void (await end())),
  });
  const channel = await broker.channel();
  const exchange = "bench";
  const { queue } = await channel.assertQueue("bench", { durable: true });
  await channel.assertExchange(exchange, "topic", { durable: true });
  await channel.bindQueue(queue, exchange, "#");
  const name = "rabbitmq";
  const transport = rabbitmqTransport({ name, url: broker.url, exchange });
  endings.defer(() => transport.close());
  await registerRoute(pool, defineRoute({ name, transport: name, topic: "bench.told", categories: [name] }));

  const rates: number[] = [];
  for (let round = -1; round < rounds; round += 1) {
    await fill(pool, name, messages);
    const started = performance.now();
    let handled = 0;
    while (handled < messages) handled += (await drainRoute(pool, { name }, transport, { budget: 200 })).handled;
    const perSecond = handled / ((performance.now() - started) / 1000);
    const { messageCount } = await channel.purgeQueue(queue);
    if (messageCount !== messages) throw new Error(`${messages} messages were sent, ${messageCount} arrived`);
    if (round >= 0) rates.push(perSecond);
  }
  return {
    measure: "outbox to RabbitMQ with publisher confirms, messages per second",
    ratio: median(rates),
    unit: "/s",
    bar: { atLeast: 5_000 },
    details: `${messages.toLocaleString("en")} messages of 1,000 streams a round, persistent, to a durable queue`,
  };
}

/** Appends so many events, over a thousand streams of a category, a thousand in a call. */
async function fill(pool: pg.Pool, category: string, count: number): Promise<void> {
  for (let done = 0; done < count; done += 1000) {
    await pool.query(
      `select count(*) from daybook.append_streams((
         select jsonb_agg(jsonb_build_object(
             'stream_id', $1 || '-' || ($2 * 200 + s) % 1000,
             'events', (select jsonb_agg(jsonb_build_object('type', 'Told', 'data', jsonb_build_object('n', n)))
                          from generate_series(1, 5) n)))
           from generate_series(1, 200) s))`,
      [category, done / 1000],
    );
  }
}
