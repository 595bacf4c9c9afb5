import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import pg from "pg";
import t from "tap";
import { z } from "zod";
import { migrate } from "../../src/index.ts";
import { testDatabase } from "../support/database.ts";
import { migrationFiles } from "./migration-files.ts";
import { packageCopy } from "./package-copy.ts";

const run = promisify(execFile);
const report = z.object({ migrations: z.array(z.string()), objects: z.array(z.string()), lines: z.array(z.string()) });
const program = fileURLToPath(new URL("./migrate-once.ts", import.meta.url));

t.setTimeout(120_000);

t.test("ten processes start at once: one installs, the others wait and find it done", async (t) => {
  const { url, pool } = await testDatabase(t, { template: false });
  const runs = await Promise.all(Array.from({ length: 10 }, () => run(process.execPath, [program, url])));
  const reports = runs.map(({ stdout }) => report.parse(JSON.parse(stdout)));
  t.equal(reports.filter((one) => one.migrations.length > 0).length, 1, "one applied the migrations");
  t.equal(reports.filter((one) => one.objects.length > 0).length, 1, "one installed the objects");
  const wrote = reports.filter(({ lines }) => lines.some((line) => line.startsWith("installed: version")));
  t.equal(wrote.length, 1, "one wrote down the version");
  const { rows } = await pool.query("select count(*)::int as applied from daybook.migrations where id > 0");
  t.same(rows, [{ applied: migrationFiles.length }]);
});

t.test("an append that holds its locks is waited for without holding up others for long", async (t) => {
  const { url, pool } = await testDatabase(t);
  const { dir, edit } = await packageCopy(t);
  await edit("sql/functions/stream_version.sql", (text) => `${text}-- changed\n`);

  const holder = new pg.Client(url);
  await holder.connect();
  await holder.query("begin; select daybook.append_event('account-1', 'Opened')");
  const migrating = migrate(url, { dir });
  let longest = 0;
  const until = performance.now() + 3000;
  for (let i = 0; performance.now() < until; i += 1) {
    const start = performance.now();
    await pool.query("select daybook.append_event($1, 'Opened')", [`other-${i}`]);
    longest = Math.max(longest, performance.now() - start);
  }
  await holder.query("commit");
  await holder.end();
  t.ok((await migrating).objects.length > 0, "installed in the end");
  t.ok(longest < 4000, `the longest other append took ${longest.toFixed(0)} ms`);
});

t.test("nobody's own table migrations is taken for ours", async (t) => {
  const { url, pool } = await testDatabase(t, { template: false });
  // as an application has it that uses postgres-migrations itself
  await pool.query(`
    create table public.migrations (id integer primary key, name varchar(100) unique not null, hash varchar(40) not null,
      executed_at timestamp default current_timestamp);
    insert into public.migrations values (0, 'create-migrations-table', 'e18db593bcde2aca2a408c4d1100f6abba2195df'), (1, 'users', 'abc')`);
  t.same((await migrate(url)).migrations, migrationFiles);
  const { rows } = await pool.query("select array_agg(name order by id) as names from public.migrations");
  t.same(rows, [{ names: ["create-migrations-table", "users"] }]);
  t.equal((await migrate(url)).upToDate, true);
});
