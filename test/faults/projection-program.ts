/*
 * A worker with projections in a process of its own, to be killed. Arguments: URL.
 */
import pg from "pg";
import { startWorker } from "../../src/index.ts";
import { codeCounts, sqlCounts } from "../projections/support.ts";

const [url = ""] = process.argv.slice(2);
const pool = new pg.Pool({ connectionString: url, max: 6 });
pool.on("error", () => undefined);
await startWorker({
  db: pool,
  directUrl: url,
  projections: [sqlCounts(), codeCounts({ name: "code", schema: "code" })],
  safetyPoll: 60_000,
});
process.send?.("started");
process.on("disconnect", () => process.exit(0));
