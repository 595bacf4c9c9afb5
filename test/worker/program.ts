/*
 * A worker in a process of its own, to be killed. Arguments: URL, name of the process, milliseconds an event takes. It
 * handles every event by writing a row, and sends what the route says by writing a row past the transaction.
 */
import { setTimeout as sleep } from "node:timers/promises";
import pg from "pg";
import { defineHandler, startWorker } from "../../src/index.ts";

const [url = "", name = "", time = "0"] = process.argv.slice(2);
const pool = new pg.Pool({ connectionString: url, max: 6 });
pool.on("error", () => undefined);

const handler = defineHandler({
  name: "killed",
  subscribesTo: ["*"],
  shards: 2,
  async handle(event, { tx }) {
    await sleep(Number(time));
    await tx.query(
      "insert into effects (handler, position, stream, version, worker) values ('killed', $1, $2, $3, $4)",
      [event.position, event.streamId, event.version, name],
    );
  },
});
await startWorker({ db: pool, directUrl: url, handlers: [handler], safetyPoll: 60_000 });
process.send?.("started");
process.on("disconnect", () => process.exit(0));
