import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import t, { type Test } from "tap";
import { defineRoute, rabbitmqConsumer, rabbitmqTransport } from "../../src/index.ts";
import { value } from "../handlers/support.ts";
import { testDatabase } from "../support/database.ts";
import { rabbitmqMissing as skip, testRabbitmq } from "../support/rabbitmq.ts";
import { eventually, work } from "../worker/support.ts";
import { effectsOf, effectsTable, Streams, seeded } from "./support.ts";

t.setTimeout(120_000);

const PROGRAM = fileURLToPath(new URL("./consumer-program.ts", import.meta.url));
/** Where it is killed: before the effect is written, or behind its commit and before the message is acknowledged. */
const PLACES = ["effect", "ack", "effect", "ack", "effect", "ack"];

async function startProgram(t: Test, args: readonly string[]): Promise<ChildProcess> {
  const child = fork(PROGRAM, args, { execPath: process.execPath, execArgv: [], stdio: "inherit" });
  t.teardown(() => child.kill("SIGKILL"));
  for (;;) {
    const [said] = await once(child, "message");
    if (said === "there") return child;
  }
}

seeded(t, "a consumer is killed around its acknowledgement: effects once", { skip }, async (t, choices) => {
  const broker = await testRabbitmq(t);
  const database = await testDatabase(t);
  await effectsTable(database);
  const options = {
    url: broker.url,
    db: database.db,
    consumer: "projection",
    exchange: "faults",
    queue: "projection",
    bindings: ["faults.#"],
  };
  // declares the queue, so that nothing is lost before there is one
  await (await rabbitmqConsumer({ ...options, handle: async () => undefined })).stop();
  const transport = rabbitmqTransport({ name: "broker", url: broker.url, exchange: "faults" });
  t.teardown(() => transport.close());
  const route = defineRoute({ name: "out", transport: "broker", topic: "faults.{category}" });
  await work(t, database, { routes: [route], transports: [transport] });
  const streams = new Streams(database, choices, 6);
  await streams.append(PLACES.length * 40);

  for (const place of PLACES) {
    const child = await startProgram(t, [broker.url, database.url, place, String(choices.between(1, 30))]);
    // what it has said to the broker by then is under way
    await sleep(choices.between(20, 60));
    child.kill("SIGKILL");
    await once(child, "exit");
  }

  const consumer = await rabbitmqConsumer({
    ...options,
    handle: ({ key, version }, { tx }) =>
      tx.query("insert into effects (key, version) values ($1, $2)", [key, version]),
  });
  t.teardown(() => consumer.stop());
  const channel = await broker.channel();
  await eventually(async () => (await value(database, "select undelivered::integer from daybook.routes")) === 0);
  const counts = () => consumer.status().processed + consumer.status().repeated;
  for (let seen = -1; counts() > seen || (await channel.checkQueue("projection")).messageCount > 0; ) {
    seen = counts();
    await sleep(500);
  }
  t.same(streams.violations(await effectsOf(database), true), [], "each once, each stream in order");
  t.ok(consumer.status().repeated > 0, "what was committed and not acknowledged came again");
  t.equal((await channel.checkQueue("projection.dead")).messageCount, 0);
});
