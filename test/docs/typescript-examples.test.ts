import { spawnSync } from "node:child_process";
import { readdir } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import t from "tap";
import { testDatabase } from "../support/database.ts";
import { codeBlocks, promisedOutput } from "./code-blocks.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));
const docs = (await readdir(new URL("../../docs/", import.meta.url)))
  .filter((file) => file.endsWith(".md"))
  .map((file) => `docs/${file}`);

for (const file of ["README.md", ...docs]) {
  for (const [index, block] of (await codeBlocks(file, "ts")).entries()) {
    t.test(`${file}: TypeScript example ${index + 1} runs and prints what it says`, async (t) => {
      const { url } = await testDatabase(t);
      const script = block
        .replaceAll('from "daybook"', `from ${JSON.stringify(new URL("../../src/index.ts", import.meta.url).href)}`)
        .replaceAll(
          'from "daybook/testing"',
          `from ${JSON.stringify(new URL("../../src/testing/index.ts", import.meta.url).href)}`,
        );
      const { stdout, stderr, status } = spawnSync(
        process.execPath,
        ["--input-type=module-typescript", "--eval", script],
        {
          cwd: root,
          env: { ...process.env, DATABASE_URL: url },
          encoding: "utf8",
          timeout: 60_000,
        },
      );
      t.equal(status, 0, stderr);
      const printed = stdout.split("\n");
      for (const line of promisedOutput(block)) t.ok(printed.includes(line), `prints ${line}`);
    });
  }
}
