/*
 * A consumer of RabbitMQ that is to be killed. Arguments: URL of the broker, of the database, where it comes to a stop
 * (effect: before it is written; ack: behind its commit, before the message is acknowledged), at which message. It says when
 * it is there, and goes no further with that message.
 */
import pg from "pg";
import { type Db, fromPg, rabbitmqConsumer } from "../../src/index.ts";

const [brokerUrl = "", databaseUrl = "", place = "", at = "1"] = process.argv.slice(2);
const db = fromPg(new pg.Pool({ connectionString: databaseUrl }));
let count = 0;

async function stopHere(here: string): Promise<void> {
  if (here !== place || count < Number(at)) return;
  process.send?.("there");
  await new Promise(() => undefined);
}

const stopping: Db = {
  query: (text, values, options) => db.query(text, values, options),
  async transaction(run) {
    const result = await db.transaction(run);
    await stopHere("ack");
    return result;
  },
};

await rabbitmqConsumer({
  url: brokerUrl,
  db: stopping,
  consumer: "projection",
  exchange: "faults",
  queue: "projection",
  bindings: ["faults.#"],
  prefetch: 20,
  async handle({ key, version }, { tx }) {
    count += 1;
    await stopHere("effect");
    await tx.query("insert into effects (key, version) values ($1, $2)", [key, version]);
  },
});
process.send?.("consuming");
process.on("disconnect", () => process.exit(0));
