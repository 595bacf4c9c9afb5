import t from "tap";
import { testDatabase } from "../support/database.ts";
import { daybook, objects } from "./support.ts";

t.test("migrate says what it does; --check what there is to do", async (t) => {
  const { url, pool } = await testDatabase(t, { template: false });
  const run = (...args: string[]) => daybook(args, { url });

  const absent = await run("migrate", "--check");
  t.equal(absent.code, 1);
  t.equal(absent.stdout, "not installed\n");
  const read = await run("read");
  t.equal(read.code, 4);
  t.match(read.stderr, /Daybook is not installed in this database.*\nhint: .*daybook migrate/);
  const status = await run("status");
  t.equal(status.code, 1);
  t.match(status.stdout, "not installed: daybook migrate");

  const first = await run("migrate");
  t.equal(first.code, 0);
  t.match(
    first.stdout,
    /^(migration \d+_\w+.sql applied\n)+\d+ objects installed\ninstalled: version \d.*\n(partition event_log_\d{4}_\d\d made\n)+$/,
  );
  t.match((await run("migrate")).stdout, /^up to date: version \d/);
  t.match(await run("migrate", "--check"), { code: 0, stdout: /^up to date: version \d/ });

  await pool.query("update daybook.installed_objects set hash = 'x' where name = 'functions/append.sql'");
  const behind = await run("migrate", "--check");
  t.equal(behind.code, 1);
  t.match(behind.stdout, /^behind: version .*, 0 migrations and 1 changed object to install\n$/);
  t.match(objects((await run("migrate", "--check", "--json")).stdout), [
    { up_to_date: false, changed_objects: ["functions/append.sql"] },
  ]);
  t.match(objects((await run("migrate", "--json")).stdout), [{ up_to_date: false, migrations: [], objects: /./ }]);

  await pool.query("update daybook.installation set version = '999.0.0'");
  t.match(await run("migrate", "--check"), { code: 0, stdout: "newer than this program: version 999.0.0\n" });
  t.match(await run("migrate"), { code: 4, stderr: /YD901/ });
});

t.test("uninstall asks, and removes it all", async (t) => {
  const { url, pool } = await testDatabase(t);
  const asked = await daybook(["uninstall"], { url, stdin: "yes\n" });
  t.equal(asked.code, 2);
  t.match(asked.stderr, /--yes/);
  await pool.query("create view resting as select * from daybook.events");
  const resting = await daybook(["uninstall", "--yes"], { url });
  t.equal(resting.code, 4);
  t.match(resting.stderr, "resting");
  const done = await daybook(["uninstall", "--yes", "--cascade"], { url });
  t.equal(done.code, 0);
  t.match(done.stdout, /^schema daybook removed$/m);
  const { rows } = await pool.query("select from pg_namespace where nspname like 'daybook%'");
  t.equal(rows.length, 0);
  t.equal((await daybook(["uninstall", "--yes", "--json"], { url })).code, 1, "there was nothing to remove");
});

t.test("a pooler is passed by", async (t) => {
  const { url } = await testDatabase(t, { template: false });
  const env = { DAYBOOK_DIRECT_URL: url };
  t.equal((await daybook(["migrate"], { url: "postgres://127.0.0.1:1/pooler", env })).code, 0);
  t.equal((await daybook(["read"], { url: "postgres://127.0.0.1:1/pooler", env })).code, 3);
});
