import t from "tap";
import { testDatabase } from "../support/database.ts";
import { column, connect, refused, rows, value } from "./support.ts";

const database = await testDatabase(t);
const db = await connect(t, database.url);
const left = (route: string) =>
  column(db, "select stream_id || '.' || version from daybook.outbox_log where route = $1 order by position", [route]);
const moveTo = (route: string, sql: string) =>
  db.query(`update daybook.cursors set position = (${sql}) where kind = 'route' and name = $1`, [route]);
const forget = (count = 1000) => value(db, "select daybook.forget_delivered($1)", [count]);
const age = () => db.query("update daybook.outbox_log set written_at = written_at - interval '8 days'");

for (const route of ["r", "s"])
  await db.query("select daybook.create_route($1, 'queue', categories => array[$1])", [route]);
await db.query(
  "select daybook.append_event('r-' || i % 2, 'T'), daybook.append_event('s-1', 'T') from generate_series(1, 4) i",
);

t.test("what is not delivered stays, however old; what is delivered stays as long as configured", async (t) => {
  await age();
  t.equal(await forget(), 0);
  await moveTo("r", "select position from daybook.outbox_log where route = 'r' order by position offset 1 limit 1");
  await db.query("select daybook.configure('outbox_retention', '9 days')");
  t.equal(await forget(), 0);
  await db.query("select daybook.configure('outbox_retention', '7 days')");
  t.equal(await forget(1), 1, "in bites, the oldest first");
  t.same(await left("r"), ["r-0.1", "r-1.2", "r-0.2"]);
  t.same(await rows(db, "select * from daybook.upkeep() where task like 'delivered%'"), [
    { task: "delivered messages forgotten", result: "1" },
  ]);
  t.same(await left("r"), ["r-1.2", "r-0.2"]);
  t.equal((await left("s")).length, 4, "each route for itself");
});

t.test("never at or beyond the oldest parked message, or the oldest lease, or the slowest shard", async (t) => {
  await moveTo("r", "daybook.horizon()");
  await db.query(`insert into daybook.parked_streams (tenant_id, kind, name, stream_id, shard, position, error)
    select 'default', 'route', 'r', 'r-0', 0, max(position), '{}' from daybook.outbox_log where route = 'r'`);
  t.equal(await forget(), 1);
  t.same(await left("r"), ["r-0.2"]);
  await db.query("delete from daybook.parked_streams");
  await db.query("insert into daybook.cursors (kind, name, shard, position) values ('route', 'r', 1, 0)");
  t.equal(await forget(), 0);
  await db.query("delete from daybook.cursors where shard = 1");
  t.equal(await forget(), 1);

  await db.query("select daybook.create_route('q', 'postgres', categories => '{q}')");
  await db.query("select daybook.append_event('q-' || i, 'T') from generate_series(1, 3) i");
  await age();
  const tokens = await column(db, "select token from daybook.receive('q', 3)");
  await db.query("select daybook.ack('q', $1)", [tokens[0]]);
  await db.query("select daybook.ack('q', $1)", [tokens[2]]);
  await forget();
  t.same(await left("q"), ["q-2.1", "q-3.1"]);
});

t.test("what a dropped route's appends in flight have left goes at once", async (t) => {
  await db.query(`insert into daybook.outbox_log (position, tenant_id, route, message_id, stream_id, topic, type, type_version, data, occurred_at)
    select 1, 'default', 'nobody', gen_random_uuid(), 's', 't', 't', 1, '{}', now()`);
  t.equal(await forget(), 1);
  t.same(await left("nobody"), []);
});

t.test("retention is configured like the other settings", async (t) => {
  await refused(t, "YD108", "negative", () => rows(db, "select daybook.configure('outbox_retention', '-1 day')"));
  await refused(t, "YD108", "not an interval", () => rows(db, "select daybook.configure('outbox_retention', 'x')"));
  await refused(t, "YD108", "nothing", () => rows(db, "select daybook.configure('processed_retention', '0')"));
});
