import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import t from "tap";
import { withClient } from "../support/admin.ts";
import { testCluster } from "../support/cluster.ts";
import { type TestDatabase, testDatabase } from "../support/database.ts";
import { psql, psqlMissing } from "../support/psql.ts";
import { roleLogin } from "../support/roles.ts";
import { runTap } from "../support/tap-run.ts";
import { ask } from "./support.ts";

t.test("databases: each one's own, migrated or empty, gone afterwards with its logins", async (t) => {
  let database: TestDatabase | undefined;
  let login = "";
  await t.test("while the test runs", async (t) => {
    database = await testDatabase(t);
    const [other, empty] = await Promise.all([testDatabase(t), testDatabase(t, { template: false })]);
    await database.pool.query("select daybook.append_event('a-1', 'Happened')");
    t.strictSame(await database.db.query("select stream_id from daybook.events"), [{ stream_id: "a-1" }]);
    t.strictSame(await other.db.query("select stream_id from daybook.events"), []);
    t.equal(await ask(empty.url, "select to_regnamespace('daybook')"), null);
    login = await roleLogin(database, { roles: ["daybook_reader"], tenants: ["default"] });
    t.equal(await ask(login, "select count(*)::int from daybook.events"), 1);
    t.equal(await ask(login, "select session_user::text"), database.logins[0]);
  });
  t.ok(database);
  if (!database) return;
  const { server, name, logins } = database;
  await t.rejects(ask(login, "select 1"));
  t.equal(await ask(server.url, `select count(*)::int from pg_database where datname = '${name}'`), 0);
  t.equal(await ask(server.url, `select count(*)::int from pg_roles where rolname = '${logins[0]}'`), 0);
});

t.test("psql runs a script, and stops at its first error", { skip: psqlMissing }, async (t) => {
  const { url } = await testDatabase(t, { template: false });
  t.match(await psql(url, "\\pset format unaligned\nselect 1 + 1 as two;"), /two\n2/);
  const error: unknown = await psql(url, "select nonsense; create table too_late ();").catch((reason) => reason);
  t.match(error, { stderr: /"nonsense" does not exist/ });
  t.equal(await ask(url, "select to_regclass('too_late')"), null);
});

t.test("a cluster that is killed comes back at the same place, durable", async (t) => {
  const cluster = await testCluster(t, { work_mem: "3MB" });
  const { url, pid } = cluster;
  t.strictSame(
    await withClient(url, async (client) => {
      await client.query("create table kept as select 1 as n");
      return [await ask(url, "show fsync"), await ask(url, "show synchronous_commit"), await ask(url, "show work_mem")];
    }),
    ["on", "on", "3MB"],
  );
  await cluster.kill9();
  await t.rejects(ask(url, "select 1"));
  await cluster.restart();
  t.equal(cluster.url, url);
  t.not(cluster.pid, pid);
  t.equal(await ask(url, "select n from kept"), 1);
});

t.test("a run counts assertions once, and a file that breaks as a failure", async (t) => {
  mkdirSync(".tap", { recursive: true });
  const directory = mkdtempSync(join(".tap", "counting-"));
  t.teardown(() => rmSync(directory, { recursive: true }));
  const counted = join(directory, "counted.test.ts");
  writeFileSync(
    counted,
    `import t from "tap";
t.test("outer", async (t) => {
  t.ok(true as boolean);
  await t.test("inner", async (t) => { t.equal(1, 1); t.equal(1, 2, "one is two"); });
  t.test("left out", { skip: "nothing: apt-get install something" }, async () => {});
});
`,
  );
  const broken = join(directory, "broken.test.ts");
  writeFileSync(broken, `import t from "tap";\nt.pass();\nprocess.exit(3);\n`);
  const lines: string[] = [];
  const outcome = await runTap([broken, counted], {}, (line) => lines.push(line));
  t.match(outcome, { passed: 3, failed: 2 });
  t.match(outcome.skipped, [/outer > left out: nothing: apt-get install something$/]);
  t.match(
    outcome.failures.join("\n"),
    /broken\.test\.ts\n(.|\n)*exitCode: 3(.|\n)*inner > one is two\n.*counted\.test\.ts:4:/,
  );
  t.match(lines, [
    /^FAIL .*broken\.test\.ts {2}1 passed, 1 failed/,
    /^FAIL .*counted\.test\.ts {2}2 passed, 1 failed, 1 skipped/,
  ]);
});
