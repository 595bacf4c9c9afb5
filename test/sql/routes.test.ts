import t from "tap";
import { testDatabase } from "../support/database.ts";
import { roleLogin } from "../support/roles.ts";
import { column, connect, refused, row, rows, value, writesNothing } from "./support.ts";

const database = await testDatabase(t);
const db = await connect(t, database.url);
const create = (args: string) => value(db, `select daybook.create_route(${args})`);

t.test("create_route: true when it is made, false when it is there; its definition is the newest", async (t) => {
  t.equal(await create("'orders', 'queue', categories => '{order}'"), true);
  const audits = () => value(db, "select count(*) from daybook.audit_log where subject = 'route orders'");
  const made = await row(db, "select xmin::text, oid from pg_proc where oid = 'daybook._routed'::regproc");
  t.equal(await create("'orders', 'queue', categories => '{order,order}'"), false);
  t.equal(await audits(), 1, "the same definition: nothing to record");
  t.same(
    await row(db, "select xmin::text, oid from pg_proc where oid = 'daybook._routed'::regproc"),
    made,
    "and nothing made anew",
  );
  const position = await value(db, "select position from daybook.routes where name = 'orders'");
  await db.query("select daybook.append_event('order-1', 'Placed')");
  t.equal(
    await create(
      "'orders', 'hook', '{category}.{type}', types => '{Placed}', public_name => 'order.placed', shards => 3",
    ),
    false,
  );
  t.equal(await audits(), 2);
  t.match(await row(db, "select * from daybook.routes where name = 'orders'"), {
    transport: "hook",
    topic: "{category}.{type}",
    types: ["Placed"],
    categories: null,
    public_name: "order.placed",
    shards: 1,
    wanted_shards: 3,
    state: "running",
    position,
    undelivered: 1,
    needs_person: false,
  });
});

t.test("drop_route: with all that it has, and it says why", async (t) => {
  await create("'gone', 'queue', categories => '{gone}'");
  await db.query("select daybook.append_event('gone-1', 'T'), daybook.append_event('gone-1', 'T')");
  await writesNothing(t, db, "without a reason", async () => {
    for (const reason of ["null", "''", "' '"])
      await refused(t, "YD506", reason, () => rows(db, `select daybook.drop_route('gone', ${reason})`));
  });
  await db.query("select daybook.drop_route('gone', 'not used any more')");
  await writesNothing(t, db, "a second time", () =>
    refused(t, "YD501", "gone", () => rows(db, "select daybook.drop_route('gone', 'not used any more')")),
  );
  t.equal(await value(db, "select count(*) from daybook.outbox_log where route = 'gone'"), 0);
  t.equal(await value(db, "select count(*) from daybook.cursors where name = 'gone'"), 0);
  t.match(await row(db, "select action, subject, details, role from daybook.audit_log order by entry desc limit 1"), {
    action: "drop_route",
    subject: "route gone",
    details: { reason: "not used any more", undelivered: 2 },
    role: "postgres",
  });
  await db.query("select daybook.append_event('gone-1', 'T')");
  t.equal(
    await value(db, "select count(*) from daybook.outbox_log where route = 'gone'"),
    0,
    "nothing is written for it",
  );
});

const bad: Record<string, string[]> = {
  YD502: [
    "null, 'queue'",
    "'', 'queue'",
    "E'a\\nb', 'queue'",
    "repeat('x', 256), 'queue'",
    "'r', null",
    "'r', ''",
    "'r', 'queue', null",
    "'r', 'queue', ''",
    "'r', 'queue', '{nothing}'",
    "'r', 'queue', 'a{'",
    "'r', 'queue', types => '{}'",
    "'r', 'queue', types => '{A,NULL}'",
    "'r', 'queue', categories => '{}'",
    "'r', 'queue', categories => '{\"\"}'",
    "'r', 'queue', public_name => ''",
    "'r', 'queue', public_version => 0",
    "'r', 'queue', public_version => null",
    "'r', 'queue', mode => 'off'",
    "'r', 'queue', mode => null",
    "'r', 'queue', shards => 0",
    "'r', 'queue', shards => 129",
    "'r', 'postgres', shards => 2",
    "'r', 'queue', on_failure => 'explode'",
    "'r', 'queue', max_attempts => 0",
    "'r', 'queue', base_delay => '0'",
    "'r', 'queue', base_delay => '1 hour'",
    "'r', 'queue', max_delay => null",
    "'r', 'queue', direct => null",
    "'r', 'queue', direct => true, types => '{A}'",
    "'r', 'queue', direct => true, mapping => 'app.fine'",
  ],
  YD203: ["'r', 'queue', tenant_id => ''", "'r', 'queue', tenant_id => '*'"],
  YD505: [
    "'r', 'queue', mapping => ''",
    "'r', 'queue', mapping => 'app.nothing'",
    "'r', 'queue', mapping => 'nowhere.at_all'",
    "'r', 'queue', mapping => 'fine'",
    "'r', 'queue', mapping => 'app.fine(daybook.event); drop table x'",
    "'r', 'queue', mapping => 'app.text'",
    "'r', 'queue', mapping => 'app.many'",
    "'r', 'queue', mapping => 'app.takes_text'",
    "'r', 'queue', mapping => 'app.others'",
  ],
};

t.test("bad definitions are refused, and nothing is written", async (t) => {
  const other = await connect(t, await roleLogin(database, { roles: ["daybook_reader"] }));
  const role = String(await value(other, "select current_user"));
  await db.query("create schema app");
  await db.query(`grant all on schema app to "${role}"`);
  const make = (name: string, type: string, body: string) =>
    `create function app.${name}(event daybook.event) returns ${type} language sql immutable as '${body}'`;
  await db.query(make("fine", "jsonb", "select (event).data"));
  await db.query(make("text", "text", "select (event).type"));
  await db.query(make("many", "setof jsonb", "select (event).data"));
  await db.query("create function app.takes_text(event text) returns jsonb language sql immutable return '{}'::jsonb");
  await other.query(make("others", "jsonb", "select (event).data"));
  await writesNothing(t, db, "all", async () => {
    for (const [code, calls] of Object.entries(bad))
      for (const args of calls) await refused(t, code, args, () => create(args));
  });
  t.equal(await create("'r', 'queue', mapping => 'app.fine'"), true, "what is left is fine");
  t.equal(await value(db, "select mapping from daybook.routes where name = 'r'"), "app.fine(daybook.event)");
  await db.query("select daybook.drop_route('r', 'test')");
});

t.test("only administrators make and drop routes; not narrowed to a tenant", async (t) => {
  const worker = await connect(t, await roleLogin(database, { roles: ["daybook_worker"] }));
  await t.rejects(worker.query("select daybook.create_route('w', 'queue')"), { code: "42501" });
  await t.rejects(worker.query("select daybook.create_route('orders', 'other')"), { code: "42501" });
  await t.rejects(worker.query("select daybook.drop_route('orders', 'mine')"), { code: "42501" });
  await db.query("select daybook.create_route('known', 'queue', categories => '{known}')");
  t.equal(
    await value(worker, "select daybook.create_route('known', 'queue', categories => '{known}')"),
    false,
    "a worker may say what is so",
  );
  await t.rejects(worker.query("select daybook.create_route('known', 'queue')"), { code: "42501" });
  const admin = await connect(t, await roleLogin(database, { roles: ["daybook_admin"] }));
  await admin.query("set daybook.tenant = 'a'");
  await refused(t, "YD202", "create", () => rows(admin, "select daybook.create_route('w', 'queue')"));
  await refused(t, "YD202", "drop", () => rows(admin, "select daybook.drop_route('orders', 'mine')"));
  await admin.query("reset daybook.tenant");
  t.equal(await value(admin, "select daybook.create_route('w', 'queue', categories => '{w}')"), true);
  await admin.query("select daybook.drop_route('w', 'done')");
});

t.test("two at once, and one that is rolled back", async (t) => {
  const [a, b] = [await connect(t, database.url), await connect(t, database.url)];
  await a.query("begin");
  await a.query("select daybook.create_route('twin', 'queue', categories => '{twin}')");
  const second = value(b, "select daybook.create_route('twin', 'queue', categories => '{twin}')");
  await a.query("commit");
  t.equal(await second, false);
  await a.query("begin");
  await a.query("select daybook.create_route('undone', 'queue', categories => '{undone}')");
  await a.query("rollback");
  t.same(await column(db, "select distinct name from daybook.routes where name in ('twin', 'undone')"), ["twin"]);
  await db.query("select daybook.append_event('undone-1', 'T'), daybook.append_event('twin-1', 'T')");
  t.same(await column(db, "select route from daybook.outbox_log where stream_id in ('undone-1', 'twin-1')"), ["twin"]);
});
