import { spawnSync } from "node:child_process";
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import t from "tap";
import { promisedOutput } from "../docs/code-blocks.ts";
import { testDatabase } from "../support/database.ts";
import { rabbitmqMissing, testRabbitmq } from "../support/rabbitmq.ts";

t.setTimeout(240_000);
// blocks of ```ts need a database alone, and test/docs runs them; these need a broker
const text = await readFile(new URL("../../docs/transports.md", import.meta.url), "utf8");
const [, block = ""] = /^```typescript\n(.*?)^```/ms.exec(text) ?? [];

t.test(
  "docs/transports.md: the example of RabbitMQ runs and prints what it says",
  { skip: rabbitmqMissing },
  async (t) => {
    const broker = await testRabbitmq(t);
    const { url } = await testDatabase(t);
    const index = JSON.stringify(new URL("../../src/index.ts", import.meta.url).href);
    const { stdout, stderr, status } = spawnSync(
      process.execPath,
      ["--input-type=module-typescript", "--eval", block.replaceAll('"daybook"', index)],
      {
        cwd: fileURLToPath(new URL("../../", import.meta.url)),
        env: { ...process.env, DATABASE_URL: url, RABBITMQ_URL: broker.url },
        encoding: "utf8",
        timeout: 60_000,
      },
    );
    t.equal(status, 0, stderr);
    t.strictSame(stdout.split("\n").filter(Boolean), promisedOutput(block));
  },
);
