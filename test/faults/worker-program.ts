/*
 * A worker in a process of its own, to be paused. Arguments: URL, name of the process, milliseconds an event takes.
 */
import { setTimeout as sleep } from "node:timers/promises";
import pg from "pg";
import { defineHandler, startWorker } from "../../src/index.ts";

const [url = "", name = "", time = "0"] = process.argv.slice(2);
const pool = new pg.Pool({ connectionString: url, max: 6 });
pool.on("error", () => undefined);

const handler = defineHandler({
  name: "paused",
  subscribesTo: ["*"],
  shards: 2,
  async handle({ streamId, version }, { tx }) {
    await tx.query("insert into effects (key, version, worker) values ($1, $2, $3)", [streamId, version, name]);
    await sleep(Number(time));
  },
});
await startWorker({ db: pool, directUrl: url, handlers: [handler], safetyPoll: 60_000 });
process.send?.("started");
process.on("disconnect", () => process.exit(0));
