import { setTimeout as sleep } from "node:timers/promises";
import t from "tap";
import { defineRoute, rabbitmqConsumer, rabbitmqTransport } from "../../src/index.ts";
import { value } from "../handlers/support.ts";
import { testDatabase } from "../support/database.ts";
import { rabbitmqMissing as skip, testRabbitmq } from "../support/rabbitmq.ts";
import { eventually, work } from "../worker/support.ts";
import { effectsOf, effectsTable, Streams, seeded } from "./support.ts";

t.setTimeout(240_000);

seeded(
  t,
  "the broker is killed while a worker drains: the outbox keeps, then flushes",
  { skip },
  async (t, choices) => {
    const broker = await testRabbitmq(t);
    const database = await testDatabase(t);
    await effectsTable(database);
    const exchange = "faults";
    const transport = rabbitmqTransport({ name: "broker", url: broker.url, exchange, timeout: 2000 });
    t.teardown(() => transport.close());
    const consumer = await rabbitmqConsumer({
      url: broker.url,
      db: database.db,
      consumer: "projection",
      exchange,
      queue: "projection",
      bindings: ["faults.#"],
      handle: ({ key, version }, { tx }) =>
        tx.query("insert into effects (key, version) values ($1, $2)", [key, version]),
    });
    t.teardown(() => consumer.stop());
    const route = defineRoute({
      name: "out",
      transport: "broker",
      topic: "faults.{category}",
      retry: { attempts: 1, baseDelay: 50, maxDelay: 500 },
    });
    await work(t, database, { routes: [route], transports: [transport] });
    const streams = new Streams(database, choices, 12);
    const undelivered = () => value<number>(database, "select undelivered::integer from daybook.routes");

    const appending = streams.append(600);
    await sleep(choices.between(20, 400));
    await broker.kill9();
    await appending;
    const [kept, there] = [await undelivered(), streams.count()];
    await streams.append(20);
    await sleep(choices.between(0, 2000));
    t.ok(kept > 0, "killed in the middle");
    t.equal(await undelivered(), kept + streams.count() - there, "the outbox keeps what the broker does not take");
    await broker.start();

    await eventually(async () => (await undelivered()) === 0, 60_000);
    const total = streams.count();
    await eventually(
      async () => (await value<number>(database, "select count(*)::integer from effects")) >= total,
      60_000,
    );
    t.same(streams.violations(await effectsOf(database), true), [], "each once, each stream in order");
    t.match(await value(database, "select to_jsonb(r) from daybook.routes r"), {
      state: "running",
      parked_streams: 0,
      dead_letters: 0,
      undelivered: 0,
    });
    t.equal(consumer.status().dead, 0);
    t.ok(consumer.status().failures > 0, "the consumer has lost its connection");
    t.equal((await (await broker.channel()).checkQueue("projection.dead")).messageCount, 0);
  },
);
