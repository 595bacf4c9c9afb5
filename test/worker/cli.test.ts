import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import t from "tap";
import { collect, daybook, start } from "../cli/support.ts";
import { testDatabase } from "../support/database.ts";
import { append, effects, effectsTable, eventually } from "./support.ts";

t.setTimeout(120_000);

const index = fileURLToPath(new URL("../../src/index.ts", import.meta.url));

const configuration = `
import { defineConfig, defineHandler } from ${JSON.stringify(index)};
import { setTimeout as sleep } from "node:timers/promises";
const handler = defineHandler({
  name: "from-file",
  subscribesTo: ["*"],
  async handle(event, { tx }) {
    await sleep(event.type === "Slow" ? 1000 : event.type === "Stuck" ? 60000 : 0);
    await tx.query("insert into effects (handler, position) values ('from-file', $1)", [event.position]);
  },
});
export default defineConfig(async () => ({ handlers: [handler], stopTimeout: 30000 }));
`;

function inDirectory(files: Record<string, string>): string {
  const directory = mkdtempSync(join(tmpdir(), "daybook-worker-"));
  t.teardown(() => rmSync(directory, { recursive: true }));
  for (const [name, text] of Object.entries(files)) writeFileSync(join(directory, name), text);
  return directory;
}

t.test("it runs a configuration, and leaves behind the batch in hand", async (t) => {
  const database = await testDatabase(t);
  await effectsTable(database);
  const cwd = inDirectory({ "daybook.config.ts": configuration });
  for (const signal of ["SIGTERM", "SIGINT"] as const) {
    const child = start(["worker"], { url: database.url, cwd });
    t.teardown(() => child.kill("SIGKILL"));
    const output = collect(child);
    await eventually(() => output.stderr.includes("worker-started"), 20_000);
    const [slow = 0] = await append(database, "a-1", 1, "Slow");
    await eventually(
      async () =>
        (await database.pool.query("select from graphile_worker.jobs where locked_by is not null")).rowCount === 1,
    );
    child.kill(signal);
    const [code] = await once(child, "close");
    t.equal(code, 0, output.stderr);
    t.match(output.stderr, /worker-stopped/);
    t.ok((await effects(database, "from-file")).includes(slow), "what was begun was finished");
    t.equal((await database.pool.query("select from daybook.workers")).rowCount, 0);
  }
});

t.test("a second signal ends it at once", async (t) => {
  const database = await testDatabase(t);
  await effectsTable(database);
  const cwd = inDirectory({ "worker.config.ts": configuration });
  await append(database, "a-1", 1, "Stuck");
  const child = start(["worker", "--config", "worker.config.ts", "--json"], { url: database.url, cwd });
  const output = collect(child);
  await eventually(() => output.stdout.includes("worker-started"), 20_000);
  await eventually(
    async () =>
      (await database.pool.query("select from graphile_worker.jobs where locked_by is not null")).rowCount === 1,
  );
  const exit = once(child, "exit");
  const began = performance.now();
  child.kill("SIGTERM");
  await eventually(() => output.stdout.includes("worker-stopping"));
  child.kill("SIGTERM");
  const [code] = await exit;
  t.equal(code, 143);
  t.ok(performance.now() - began < 2000);
  t.equal(JSON.parse(output.stdout.split("\n")[0] ?? "").level, "info");
});

t.test("what is wrong with a configuration is said", async (t) => {
  const { url } = await testDatabase(t);
  const cwd = inDirectory({
    "none.ts": "export const x = 1;",
    "broken.ts": "export default {",
    "unknown.ts": "export default { handler: [] };",
    "wrong.ts": "export default { handlers: [{ name: 'x' }] };",
    "late.ts": "export default { concurrency: 1000 };",
  });
  const problems = {
    "absent.ts": "there is no absent.ts",
    "none.ts": "none.ts has no default export",
    "broken.ts": "broken.ts cannot be loaded",
    "unknown.ts": "Unrecognized key",
    "wrong.ts": "handlers has what defineHandler has not made",
    "late.ts": "concurrency is a whole number from 1 to 100",
  };
  for (const [file, problem] of Object.entries(problems)) {
    const { code, stderr } = await daybook(["worker", "--config", file], { url, cwd });
    t.equal(code, 2, file);
    t.match(stderr, problem);
  }
});
