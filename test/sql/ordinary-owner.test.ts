import { randomBytes } from "node:crypto";
import pg from "pg";
import t from "tap";
import { migrate } from "../../src/migrate/index.ts";
import { type TestDatabase, testDatabase } from "../support/database.ts";
import { roleLogin } from "../support/roles.ts";
import { column, connect, failure, inTransaction, refused, row, rows, value } from "./support.ts";
import { ways } from "./ways.ts";

// Installed by a role that is no superuser: row security is forced on it, so it holds inside the functions too.
const database = await testDatabase(t, { template: false });
const ownerUrl = await ordinaryOwner(database);
await migrate(ownerUrl);
const owner = await connect(t, ownerUrl);
const login = async (role: string, tenants: string[]) =>
  connect(t, await roleLogin(database, { roles: [role], tenants }));

/** An ordinary role that may create roles, and schemas in this database. */
async function ordinaryOwner({ name, url, pool, logins }: TestDatabase): Promise<string> {
  const role = `${name}_owner`;
  const password = randomBytes(12).toString("hex");
  logins.push(role);
  await pool.query(`create role ${role} login createrole password '${password}'`);
  await pool.query(`grant create on database ${pg.escapeIdentifier(name)} to ${role}`);
  const own = new URL(url);
  own.username = role;
  own.password = password;
  return own.href;
}

t.test("everything belongs to a role that is no superuser and does not bypass row security", async (t) => {
  t.same(await row(owner, "select rolsuper, rolbypassrls from pg_roles where rolname = current_user"), {
    rolsuper: false,
    rolbypassrls: false,
  });
  t.same(
    await rows(
      owner,
      `select p.proname as name from pg_proc p where p.pronamespace = 'daybook'::regnamespace and p.proowner <> current_user::regrole
       union all select c.relname from pg_class c where c.relnamespace = 'daybook'::regnamespace and c.relowner <> current_user::regrole`,
    ),
    [],
  );
  t.same(
    await column(
      owner,
      "select relname from pg_class where relnamespace = 'daybook'::regnamespace and relrowsecurity and relforcerowsecurity order by 1",
    ),
    ["event_log", "idempotency_keys", "stream_heads"],
  );
});

for (const [name, tenants, sees] of [
  ["one tenant", ["one"], ["one"]],
  ["no tenant by name", [], ["default"]],
  ["some", ["one", "two"], ["one", "two"]],
  ["all", ["*"], ["default", "one", "two"]],
] as const) {
  t.test(`a writer granted ${name}: every way to append, in its tenants alone`, async (t) => {
    const writer = await login("daybook_writer", [...tenants]);
    for (const tenant of ["default", "one", "two"]) {
      for (const way of ways) {
        const input = { stream: `s ${way.name}-1`, events: [{ type: "T" }], tenant };
        if (!sees.some((s) => s === tenant)) {
          await refused(t, "YD201", `${way.name} to ${tenant}`, () => way.append(writer, input));
          continue;
        }
        const before = Number(await value(writer, "select daybook.stream_version($1, $2)", [input.stream, tenant]));
        for (const expected of [before, before + 1, -1, null]) await way.append(writer, { ...input, expected });
        await refused(t, "YD001", `${way.name} to ${tenant}`, () => way.append(writer, { ...input, expected: 1 }));
        const key = { ...input, key: crypto.randomUUID(), events: [{ type: "T", tags: ["a"] }] };
        t.same([(await way.append(writer, key)).duplicate, (await way.append(writer, key)).duplicate], [false, true]);
        await refused(t, "YD002", "another payload", () => way.append(writer, { ...key, events: [{ type: "U" }] }));
        t.equal(
          (await rows(writer, "select from daybook.read_stream($1, tenant_id => $2)", [input.stream, tenant])).length,
          before + 5,
          `${way.name} to ${tenant}`,
        );
      }
    }
    t.same(await column(writer, "select distinct tenant_id from daybook.events order by 1"), sees);
    t.same(await column(writer, "select distinct tenant_id from daybook.read_all(tenant_id => '*') order by 1"), sees);
    t.same(
      await column(
        writer,
        "select distinct tenant_id from daybook.read_all(tenant_id => '*', types => '{T}') order by 1",
      ),
      sees,
    );
    for (const tenant of sees) {
      await inTransaction(writer, async () => {
        await writer.query(`set local daybook.tenant = '${tenant}'`);
        await writer.query("select daybook.append_event('narrow-1', 'T')");
        t.same(await column(writer, "select distinct tenant_id from daybook.read_all(tenant_id => '*')"), [tenant]);
        t.same(await column(writer, "select distinct tenant_id from daybook.streams"), [tenant]);
      });
    }
  });
}

t.test("upkeep, settings and grants by the roles that have them", async (t) => {
  const worker = await login("daybook_worker", []);
  const admin = await login("daybook_admin", []);
  t.equal((await column(worker, "select daybook.ensure_partitions(5)")).length, 2);
  t.match(await rows(worker, "select state from daybook.partitions where rows >= 0 and bytes > 0"), [
    { state: "current" },
    { state: "ahead" },
  ]);
  await worker.query("select daybook.upkeep(), daybook.seal_partitions(), daybook.forget_idempotency_keys()");
  await worker.query("select daybook.advance_checkpoint('c', 1)");
  await admin.query("select daybook.configure('max_events', '100')");
  const writer = await login("daybook_writer", ["one"]);
  await admin.query("select daybook.grant_tenant($1, 'four')", [writer.user]);
  await writer.query("select daybook.append_event('four-1', 'T', tenant_id => 'four')");
  await admin.query("select daybook.revoke_tenant($1, 'four')", [writer.user]);
  await refused(t, "YD201", "revoked", () =>
    writer.query("select daybook.append_event('four-1', 'T', tenant_id => 'four')"),
  );
  await admin.query("select daybook.grant_tenant($1, '*')", [writer.user]);
  await writer.query("select daybook.append_event('four-1', 'T', tenant_id => 'four')");
});

t.test("an append makes a missing partition", async (t) => {
  for (const partition of await column(owner, "select partition from daybook.partitions"))
    await owner.query(`drop table daybook.${partition}`);
  await owner.query(`
    delete from daybook.stream_heads; delete from daybook.idempotency_keys; delete from daybook.event_partitions;
    select daybook._set_constant('_writable_from', 'timestamptz', 'infinity'), daybook._set_constant('_writable_until', 'timestamptz', '-infinity')`);
  const writer = await login("daybook_writer", ["one"]);
  await writer.query("select daybook.append_event('made-1', 'T', tenant_id => 'one')");
  t.equal(await value(writer, "select count(*) from daybook.read_stream('made-1', tenant_id => 'one')"), 1);
});

t.test("the owner, too: its events are append-only, and narrowed it sees one tenant", async (t) => {
  for (const table of [
    "daybook.event_log",
    `daybook.${await value(owner, "select partition from daybook.partitions where state = 'current'")}`,
  ]) {
    for (const statement of [`update ${table} set data = '{}'`, `delete from ${table}`, `truncate ${table}`]) {
      await refused(t, "YD301", statement, () => owner.query(statement));
    }
  }
  await owner.query("select daybook.append_event('a-1', 'T', tenant_id => 'two')");
  await inTransaction(owner, async () => {
    await owner.query("set local daybook.tenant = 'one'");
    t.same(await column(owner, "select distinct tenant_id from daybook.events"), ["one"]);
    t.same(await column(owner, "select distinct tenant_id from daybook.event_log"), ["one"]);
  });
  t.equal((await failure(() => owner.query("set session_replication_role = replica"))).code, "42501");
});
