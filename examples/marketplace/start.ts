/*
 * The marketplace: `node examples/marketplace/start.ts`. See --help.
 */
import { readFile } from "node:fs/promises";
import { parseArgs } from "node:util";
import pg from "pg";
import { config } from "../../src/config.ts";
import { databaseServer } from "../../src/dev/database-server.ts";
import { migrate, startWorker } from "../../src/index.ts";
import { handlers } from "./handlers/index.ts";
import { allCaughtUp, figures } from "./report.ts";
import { openAccount, sellCall } from "./trade.ts";

const { values } = parseArgs({
  options: { calls: { type: "string", default: "100" }, help: { type: "boolean", short: "h", default: false } },
});
const calls = Number(values.calls);

if (values.help || !Number.isInteger(calls) || calls < 1) {
  console.log(
    "node examples/marketplace/start.ts [--calls N]\n\nSells N calls (100), and shows what the handlers made of it.",
  );
  process.exitCode = values.help ? 0 : 2;
} else {
  process.exitCode = await run();
}

async function run(): Promise<number> {
  const settings = config();
  const server = await databaseServer(settings);
  const pool = new pg.Pool({ connectionString: server.url, max: settings.poolSize });
  pool.on("error", () => undefined);
  try {
    await migrate(server.directUrl);
    await pool.query(await readFile(new URL("schema.sql", import.meta.url), "utf8"));
    const worker = await startWorker({ db: pool, directUrl: server.directUrl, handlers });
    try {
      const seller = await openAccount(pool, "seller", "+12025550100");
      const buyers = [
        await openAccount(pool, "buyer", "+12025550101"),
        await openAccount(pool, "buyer", "+12025550102"),
      ] as const;
      for (let i = 0; i < calls; i += 1) await sellCall(pool, seller, buyers);
      await allCaughtUp(
        pool,
        handlers.map(({ name }) => name),
      );
      console.table(await figures(pool));
      return 0;
    } finally {
      await worker.stop();
    }
  } finally {
    await pool.end();
    await server.stop();
  }
}
