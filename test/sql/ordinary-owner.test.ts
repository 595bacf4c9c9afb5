import { randomBytes } from "node:crypto";
import pg from "pg";
import t from "tap";
import { migrate } from "../../src/migrate/index.ts";
import { type TestDatabase, testDatabase } from "../support/database.ts";
import { roleLogin } from "../support/roles.ts";
import { fail } from "./drains.ts";
import { advanceAll, create, createFunctions, foldedSums, readSums } from "./projecting.ts";
import { column, connect, failure, inTransaction, refused, row, rows, value } from "./support.ts";
import { ways } from "./ways.ts";

// Installed by a role that is no superuser: row security is forced on it, so it holds inside the functions too.
// The roles are the server's, and whoever makes them cannot be dropped: they come with another database, if they are not there.
await testDatabase(t);
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
  // other tests of this server may install at the same time: whoever makes the role, its owner must be a member of it
  await pool.query(
    `do $$ begin create role daybook_projector nologin; exception when duplicate_object or unique_violation then null; end $$;
     grant daybook_projector to ${role}`,
  );
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
    [
      "consumers",
      "dead_letters_log",
      "event_log",
      "idempotency_keys",
      "outbox_leases",
      "outbox_log",
      "parked_streams",
      "processed_messages",
      "snapshots_log",
      "stream_heads",
    ],
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

t.test("the outbox: written by whoever may append, received by whoever sees all of a route", async (t) => {
  const admin = await login("daybook_admin", []);
  const role = String(await value(owner, "select current_user"));
  await owner.query("create schema app_of_owner");
  await owner.query(
    "create function app_of_owner.mapped(event daybook.event) returns jsonb language sql stable return jsonb_build_object('as', current_user, 'of', (event).tenant_id)",
  );
  await admin.query(
    "select daybook.create_route('all', 'postgres', categories => '{out}', mapping => 'app_of_owner.mapped')",
  );
  await admin.query("select daybook.create_route('two', 'postgres', categories => '{out}', tenant_id => 'two')");
  await admin.query("select daybook.create_route('direct', 'queue', direct => true)");
  const [one, two, every] = [
    await login("daybook_writer", ["one"]),
    await login("daybook_writer", ["two"]),
    await login("daybook_writer", ["*"]),
  ];
  await one.query("select daybook.append_event('out-1', 'T', tenant_id => 'one')");
  await two.query("select daybook.append_batch($1, 'two')", [
    JSON.stringify([{ stream_id: "out-1", events: [{ type: "T" }, { type: "T" }] }]),
  ]);
  await two.query(`select daybook.publish('direct', '{"type": "T"}', 'two')`);
  t.equal(await value(two, "select daybook.process_once('c', 'm', 'two')"), true);
  const worker = await login("daybook_worker", []);
  t.same(await rows(worker, "select route, tenant_id, data from daybook.outbox order by route, position"), [
    { route: "all", tenant_id: "one", data: { as: role, of: "one" } },
    { route: "all", tenant_id: "two", data: { as: role, of: "two" } },
    { route: "all", tenant_id: "two", data: { as: role, of: "two" } },
    { route: "direct", tenant_id: "two", data: {} },
    { route: "two", tenant_id: "two", data: {} },
    { route: "two", tenant_id: "two", data: {} },
  ]);
  await refused(t, "YD201", "not all of it", () => one.query("select daybook.receive('all')"));
  await refused(t, "YD501", "a route of a tenant that it does not see", () =>
    one.query("select daybook.receive('two')"),
  );
  const received = await rows(two, "select token, version from daybook.receive('two', 10)");
  t.match(received, [{ version: 1 }]);
  t.equal(await value(two, "select daybook.ack('two', $1)", [received[0]?.token]), true);
  t.match(await rows(two, "select version from daybook.receive('two', 10)"), [{ version: 2 }]);
  t.equal((await rows(every, "select from daybook.receive('all', 10)")).length, 2);
  await worker.query("select daybook.upkeep()");
  for (const route of ["all", "two", "direct"]) await admin.query("select daybook.drop_route($1, 'test')", [route]);
  t.equal(await value(owner, "select count(*) from daybook.outbox_log"), 0);
});

t.test(
  "handlers: a worker needs no grant of a tenant to follow them all, or the one that a handler is bound to",
  async (t) => {
    const [worker, admin] = [await login("daybook_worker", []), await login("daybook_admin", [])];
    const writer = await login("daybook_writer", ["*"]);
    for (const tenant of ["one", "two"])
      await writer.query(
        "select daybook.append_event('drained-1', 'T', tenant_id => $1), daybook.append_event('drained-1', 'T', tenant_id => $1)",
        [tenant],
      );
    await worker.query(`
    select daybook.create_handler('every', categories => '{drained}', max_attempts => 1),
           daybook.create_handler('two', categories => '{drained}', tenant_id => 'two', shards => 2)`);
    const last = Number(await value(owner, "select last_value from daybook.positions"));
    const read = "select tenant_id, version from daybook.read_events_for";
    t.same(await rows(worker, `${read}('every', 0, $1)`, [last]), [
      { tenant_id: "one", version: 1 },
      { tenant_id: "one", version: 2 },
      { tenant_id: "two", version: 1 },
      { tenant_id: "two", version: 2 },
    ]);
    const bound = [];
    for (const shard of [0, 1]) bound.push(...(await rows(worker, `${read}('two', 0, $1, 10, $2, 2)`, [last, shard])));
    t.same(bound, [
      { tenant_id: "two", version: 1 },
      { tenant_id: "two", version: 2 },
    ]);

    const [event] = await rows(worker, "select * from daybook.read_events_for('every', 0, $1, 1)", [last]);
    t.equal(await fail(worker, "every", 0, event ?? {}), "parked");
    await inTransaction(worker, async () => {
      const [claimed] = await rows(worker, "select * from daybook.claim_consumer('handler', 'every', 0, 1)");
      t.match(claimed, { position: 0, horizon: last, has_parked: true });
      t.same(await rows(worker, `${read}('every', 0, $1)`, [last]), [
        { tenant_id: "two", version: 1 },
        { tenant_id: "two", version: 2 },
      ]);
      await worker.query("set local daybook.tenant = 'two'");
      await worker.query("select daybook.finish_batch('handler', 'every', 0, 0, $1)", [last]);
    });
    t.equal(await value(admin, "select daybook.retry_dead_letters()"), 1);
    await inTransaction(worker, async () => {
      const [parked] = await rows(worker, "select * from daybook.claim_parked('handler', 'every', 0, 1)");
      t.match(parked, { tenant_id: "one", stream_id: "drained-1" });
      await worker.query("set local daybook.tenant = 'one'");
      t.equal(
        (
          await rows(
            worker,
            "select from daybook.read_parked_events('every', 'drained-1', $1, $2, tenant_id => 'one')",
            [parked?.position, last],
          )
        ).length,
        2,
      );
      await worker.query("select daybook.finish_parked('handler', 'every', 'drained-1', $1, $2)", [
        parked?.position,
        last,
      ]);
    });
    t.match(await row(admin, "select * from daybook.handlers where name = 'every'"), {
      parked_streams: 0,
      dead_letters: 0,
      behind: 0,
    });
    for (const name of ["every", "two"]) await admin.query("select daybook.drop_handler($1)", [name]);
  },
);

t.test("a handler is not reset or dropped by a session that does not see all of its parked streams", async (t) => {
  const admin = await login("daybook_admin", ["*"]);
  await admin.query("select daybook.create_handler('narrowly', start_from => 'now')");
  const at = Number(await value(admin, "select daybook.handler_position('narrowly')"));
  await admin.query("select daybook.append_event('narrowly-1', 'T', tenant_id => 'other')");
  const event = await row(admin, "select * from daybook.events where tenant_id = 'other' and stream_id = 'narrowly-1'");
  t.equal(await fail(admin, "narrowly", at, event), "parked");
  const parked = () => column(admin, "select stream_id from daybook.parked_streams where name = 'narrowly'");
  await admin.query("set daybook.tenant = 'default'");
  for (const call of ["reset_handler('narrowly')", "drop_handler('narrowly')"]) {
    await refused(t, "YD202", call, () => admin.query(`select daybook.${call}`));
  }
  await admin.query("reset daybook.tenant");
  t.same(await parked(), ["narrowly-1"]);
  await admin.query("select daybook.drop_handler('narrowly')");
  t.same(await parked(), []);
});

t.test("projections: made, inline and not, rebuilt and dropped; readers see their tenants", async (t) => {
  await createFunctions(owner);
  const admin = await login("daybook_admin", ["*"]);
  const one = await login("daybook_writer", ["one"]);
  await create(admin, "sums", "sums", ", mode => 'inline'");
  await create(admin, "journal", "journal");
  await one.query("select daybook.append_event('projected-1', 'T', tenant_id => 'one')");
  await admin.query("select daybook.append_event('projected-1', 'T', tenant_id => 'two')");
  await advanceAll(admin, "journal", 3);
  const isWhole = async () => {
    t.same(await readSums(admin), await foldedSums(admin));
    t.equal(
      await value(admin, "select count(*) from daybook_projections.journal"),
      await value(admin, "select count(*) from daybook.events"),
    );
  };
  await advanceAll(admin, "sums");
  await isWhole();
  t.same(await column(one, "select distinct tenant_id from daybook_projections.sums"), ["one"]);
  for (const name of ["sums", "journal"]) {
    await admin.query("select daybook.rebuild_projection($1)", [name]);
    t.equal((await advanceAll(admin, `${name}@2`, 100)).at(-1), "switched");
  }
  await one.query("select daybook.append_event('projected-1', 'T', tenant_id => 'one')");
  await advanceAll(admin, "journal");
  await isWhole();
  await admin.query("select daybook.drop_projection('sums'), daybook.drop_projection('journal')");
});
