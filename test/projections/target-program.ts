/*
 * A projection that writes to another database, in a process that is to be killed. Arguments: URL of the store, of the other
 * database, where it comes to a stop (between: behind the commit there and before that of the store; effect: before the
 * commit there), at which transaction. It says when it is there, and goes no further.
 */
import pg from "pg";
import { type Db, defineProjection, drainProjection, fromPg } from "../../src/index.ts";
import { journal } from "./target-support.ts";

const [storeUrl = "", targetUrl = "", place = "", at = "1"] = process.argv.slice(2);
const store = fromPg(new pg.Pool({ connectionString: storeUrl }));
const other = fromPg(new pg.Pool({ connectionString: targetUrl }));
let count = 0;

async function stopHere(here: string): Promise<void> {
  if (here !== place || count < Number(at)) return;
  process.send?.("there");
  await new Promise(() => undefined);
}

const stopping: Db = {
  query: (text, values, options) => other.query(text, values, options),
  async transaction(run) {
    const result = await other.transaction(run);
    await stopHere("between");
    return result;
  },
};

const projection = defineProjection(
  journal(stopping, async () => {
    count += 1;
    await stopHere("effect");
  }),
);
await drainProjection(store, projection, { budget: 60_000, maxBatch: 7 });
process.send?.("done");
