import t from "tap";
import { endedOrBlocked, openSession, sessions } from "../concurrency/support/sessions.ts";
import { testDatabase } from "../support/database.ts";
import { connect, refused, rows, value } from "./support.ts";

/* A route is dropped, and another one of its name made, while appends run that know it as it was. */

t.setTimeout(60_000);
const database = await testDatabase(t);
const db = await connect(t, database.url);
await db.query(`
  create schema app;
  create function app.first(event daybook.event) returns jsonb language sql immutable return '{"shape": 1}'::jsonb;
  create function app.second(event daybook.event) returns jsonb language sql immutable return '{"shape": 2}'::jsonb`);
const make = (route: string, shape: string) =>
  `select daybook.create_route('${route}', 'queue', categories => '{${route}}', mapping => 'app.${shape}')`;
const written = (route: string) =>
  rows(db, "select stream_id, data from daybook.outbox_log where route = $1 order by position", [route]);

t.test(
  "made again while an append is open that was written for the one before: it waits, and takes none of that",
  async (t) => {
    const { writer, admin, monitor } = await sessions(t, database.url, ["writer", "admin", "monitor"]);
    await db.query(make("again", "first"));
    await writer.rows("begin");
    await writer.rows("select daybook.append_event('again-1', 'T')");
    await admin.rows("select daybook.drop_route('again', 'another shape')");
    // it need not have noticed
    await writer.rows("select daybook.append_event('again-1', 'T')");
    const making = admin.rows(make("again", "second"));
    await db.query("select pg_sleep(0.3)");
    t.equal(await value(db, "select count(*) from daybook.routes where name = 'again'"), 0, "not yet");
    await writer.rows("select daybook.append_event('again-2', 'T')");
    // of one that begins meanwhile nobody waits for the end
    const late = await openSession(database.url);
    t.teardown(() => late.end());
    await late.rows("begin");
    await late.rows("select daybook.append_event('again-3', 'T')");
    await writer.rows("commit");
    t.equal(await endedOrBlocked(monitor, admin, [late], making), "ended");
    t.same(await written("again"), [], "nothing of the old shape");
    await late.rows("select daybook.append_event('again-3', 'T')");
    await late.rows("commit");
    await db.query("select daybook.append_event('again-1', 'T')");
    const all = await written("again");
    t.same(all.at(-1), { stream_id: "again-1", data: { shape: 2 } });
    t.same([...new Set(all.map(({ data }) => JSON.stringify(data)))], ['{"shape":2}']);
    const from = await value(db, "select position from daybook.cursors where name = 'again'");
    const horizon = await value(db, "select daybook.horizon()");
    t.equal(
      (await rows(db, "select from daybook.read_outbox_for('again', $1, $2)", [from, horizon])).length,
      all.length,
    );
  },
);

t.test("an append that stays open: refused, and says why", async (t) => {
  const { writer, admin } = await sessions(t, database.url, ["writer", "admin"]);
  await db.query(make("long", "first"));
  await writer.rows("begin");
  await writer.rows("select daybook.append_event('long-1', 'T')");
  await admin.rows("select daybook.drop_route('long', 'test')");
  await refused(t, "YD502", "long", () => rows(db, make("long", "second")));
  t.same(await admin.rows(make("another-name", "second")), [{ create_route: true }], "another name is free");
  await writer.rows("commit");
  t.equal((await written("long")).length, 1, "left behind");
  t.same(await admin.rows(make("long", "second")), [{ create_route: true }]);
  t.same(await written("long"), [], "and gone");
});

t.test("in one transaction: not before the drop is committed; a savepoint undoes that too", async (t) => {
  await db.query(make("one", "first"));
  await db.query("begin");
  await db.query("savepoint before");
  await db.query("select daybook.drop_route('one', 'test')");
  await db.query("savepoint s");
  await refused(t, "YD502", "one", () => rows(db, make("one", "second")));
  await db.query("rollback to s");
  t.equal(await value(db, make("quite-another", "second")), true);
  await db.query("rollback to before");
  t.equal(await value(db, make("one", "second")), false, "it is there");
  await db.query("commit");
});

t.test(
  "published by a route that is dropped and made again at that moment: registered before it is looked up",
  async (t) => {
    const { writer, admin } = await sessions(t, database.url, ["writer", "admin"]);
    const direct = (topic: string) =>
      `select daybook.create_route('direct', 'queue', topic => '${topic}', direct => true)`;
    const publish = `select daybook.publish('direct', '{"type": "T", "key": "k"}')`;
    await db.query(direct("old"));
    await writer.rows("begin");
    await writer.rows(publish);
    await admin.rows("select daybook.drop_route('direct', 'test')");
    const making = admin.rows(direct("new"));
    await db.query("select pg_sleep(0.2)");
    t.equal(await value(db, "select count(*) from daybook.routes where name = 'direct'"), 0, "not yet");
    await writer.rows("commit");
    await making;
    await writer.rows(publish);
    t.same(await rows(db, "select topic from daybook.outbox_log where route = 'direct'"), [{ topic: "new" }]);
  },
);
