import pg from "pg";
import t from "tap";
import { checkMigrations, migrate } from "../../src/index.ts";
import { testDatabase } from "../support/database.ts";
import { roleLogin } from "../support/roles.ts";

t.test("no server, no database, no such user: said with what to do", async (t) => {
  const { url } = await testDatabase(t, { template: false });
  const at = (change: (url: URL) => void) => {
    const other = new URL(url);
    change(other);
    return other.href;
  };
  const closed = at((u) => {
    u.port = "1";
  });
  const unknown = at((u) => {
    u.pathname = "/no_such_database";
  });
  for (const call of [(url: string): Promise<unknown> => migrate(url), checkMigrations]) {
    await t.rejects(call(closed), { name: "MigrationError", message: /ECONNREFUSED/, hint: /DATABASE_URL/ });
    await t.rejects(call(unknown), { name: "MigrationError", detail: { code: "3D000" }, hint: /create database/ });
  }
});

t.test("a role without rights", async (t) => {
  const empty = await testDatabase(t, { template: false });
  const stranger = await roleLogin(empty, { roles: [] });
  await t.rejects(migrate(stranger), { name: "MigrationError", message: /permission denied/, hint: /superuser/ });

  const installed = await testDatabase(t);
  const reader = await roleLogin(installed, { roles: ["daybook_reader"] });
  t.match(await checkMigrations(reader), { upToDate: true }, "a reader may check");
  t.match(await migrate(reader), { upToDate: true }, "and migrate where nothing is to be done");
  await installed.pool.query("update daybook.installed_objects set hash = 'old' where name like 'views/%'");
  await t.rejects(migrate(reader), { name: "MigrationError", hint: /owns the schema/ });
});

t.test("a role that owns nothing but its schema installs where a superuser has made the roles", async (t) => {
  await testDatabase(t); // with its template, the roles
  const database = await testDatabase(t, { template: false });
  const owner = await roleLogin(database, { roles: [] });
  const role = new URL(owner).username;
  await database.pool.query(`grant create on database ${database.name} to ${role}`);
  const grant = `grant daybook_projector to ${role}`;
  await t.rejects(migrate(owner), { name: "MigrationError", message: /must be a member/, hint: new RegExp(grant) });
  await database.pool.query(grant);
  t.ok((await migrate(owner)).objects.length > 0);
  const client = new pg.Client(owner);
  await client.connect();
  t.teardown(() => client.end());
  await client.query('select daybook.append(\'account-1\', \'[{"type": "Opened"}, {"type": "Closed"}]\')');
  const { rows } = await client.query("select count(*)::int as events from daybook.read_stream('account-1')");
  t.same(rows, [{ events: 2 }], "and its functions work under row security");
});
