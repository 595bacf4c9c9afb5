/*
 * A worker that a scenario kills. Arguments: the database, a seed.
 */
import { setTimeout as sleep } from "node:timers/promises";
import pg from "pg";
import { defineHandler, defineRoute, functionTransport, startWorker } from "../../../src/index.ts";
import { random } from "../support/random.ts";

const [url = "", seed = "0"] = process.argv.slice(2);
const choices = random(Number(seed));
const pool = new pg.Pool({ connectionString: url, max: 10 });
// what is written here is outside of any handler's transaction
const outside = new pg.Pool({ connectionString: url, max: 4 });
for (const each of [pool, outside]) each.on("error", () => undefined);
const retry = { attempts: 1000, baseDelay: 20, maxDelay: 200 };

/** Now and then it takes a while, now and then it fails. */
async function trouble(): Promise<void> {
  if (choices.chance(0.05)) await sleep(choices.between(1, 20));
  if (choices.chance(0.01)) throw new Error("by chance");
}

await startWorker({
  db: pool,
  directUrl: url,
  handlers: [
    defineHandler({
      name: "inside",
      subscribesTo: ["*"],
      shards: 3,
      retry,
      async handle(event, { tx }) {
        await tx.query("insert into effects (stream_id, version) values ($1, $2)", [event.streamId, event.version]);
        await trouble();
      },
    }),
    defineHandler({
      name: "inside-by-batch",
      subscribesTo: ["*"],
      onFailure: "halt",
      retry,
      async handleBatch(events, { tx }) {
        await tx.query(
          "insert into batch_effects (stream_id, version) select * from unnest($1::text[], $2::bigint[])",
          [events.map((event) => event.streamId), events.map((event) => event.version)],
        );
        await trouble();
      },
    }),
    defineHandler({
      name: "outside",
      subscribesTo: ["*"],
      shards: 2,
      retry,
      async handle(event) {
        await outside.query("insert into seen (stream_id, version) values ($1, $2)", [event.streamId, event.version]);
        await trouble();
      },
    }),
  ],
  routes: [defineRoute({ name: "told", transport: "outside", topic: "told", retry })],
  transports: [
    functionTransport("outside", async (message) => {
      await outside.query("insert into sent (stream_id, version) values ($1, $2)", [message.key, message.version]);
      await trouble();
    }),
  ],
});
process.send?.("ready");
