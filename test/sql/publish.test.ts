import t from "tap";
import { openSession } from "../concurrency/support/sessions.ts";
import { testDatabase } from "../support/database.ts";
import { roleLogin } from "../support/roles.ts";
import { column, connect, refused, row, rows, value, writesNothing } from "./support.ts";

const database = await testDatabase(t);
const db = await connect(t, database.url);
await db.query("select daybook.create_route('mails', 'smtp', 'mail.{category}.{type}', direct => true)");
await db.query("select daybook.create_route('acme-mails', 'smtp', direct => true, tenant_id => 'acme')");
await db.query("select daybook.create_route('events', 'queue')");
const publish = (message: unknown, route = "mails") =>
  value(db, "select daybook.publish($1, $2)", [route, JSON.stringify(message)]);

t.test("a message without an event, in the caller's transaction", async (t) => {
  await db.query("begin");
  const undone = await publish({ type: "Undone" });
  await db.query("rollback");
  const position = await publish({ type: "Sent", key: "invoice-7", data: { to: "ada" } });
  t.ok(Number(position) > Number(undone), "its position is drawn from the sequence of all events");
  t.match(await row(db, "select * from daybook.outbox where route = 'mails'"), {
    position,
    tenant_id: "default",
    stream_id: "invoice-7",
    version: null,
    topic: "mail.invoice.Sent",
    type: "Sent",
    type_version: 1,
    data: { to: "ada" },
    metadata: {},
    state: "waiting",
  });
  await publish({
    type: "Full",
    version: 3,
    data: {},
    metadata: { a: 1 },
    message_id: "0198c7f2-0000-7000-8000-00000000000A",
    occurred_at: "2026-01-01T00:00:00Z",
    correlation_id: "0198c7f2-0000-7000-8000-000000000001",
    causation_id: "0198c7f2-0000-7000-8000-000000000002",
  });
  t.match(await row(db, "select * from daybook.outbox_log where type = 'Full'"), {
    message_id: "0198c7f2-0000-7000-8000-00000000000a",
    stream_id: "0198c7f2-0000-7000-8000-00000000000a",
    type_version: 3,
    metadata: { a: 1 },
    occurred_at: new Date("2026-01-01T00:00:00Z"),
    correlation_id: "0198c7f2-0000-7000-8000-000000000001",
    causation_id: "0198c7f2-0000-7000-8000-000000000002",
  });
});

const bad: unknown[] = [
  null,
  5,
  [],
  {},
  { type: "" },
  { type: 5 },
  { type: "x".repeat(256) },
  { type: "T", data: [] },
  { type: "T", metadata: 1 },
  { type: "T", version: 0 },
  { type: "T", version: 1.5 },
  { type: "T", version: "1" },
  { type: "T", version: 3_000_000_000 },
  { type: "T", key: "" },
  { type: "T", key: 5 },
  { type: "T", key: "x".repeat(256) },
  { type: "T", key: "a\nb" },
  { type: "T", message_id: "x" },
  { type: "T", message_id: 5 },
  { type: "T", correlation_id: "x" },
  { type: "T", causation_id: {} },
  { type: "T", occurred_at: "yesterday" },
  { type: "T", occurred_at: "2026-01-01" },
  { type: "T", event_id: "0198c7f2-0000-7000-8000-00000000000a" },
  { type: "T", schema_version: 1 },
  { type: "T", tags: [] },
  { type: "T", topic: "x" },
];

t.test("bad messages and routes are refused, and nothing is written", async (t) => {
  await writesNothing(t, db, "all", async () => {
    for (const message of bad) {
      const detail = await refused(t, "YD108", JSON.stringify(message).slice(0, 60), () => publish(message));
      t.match(detail, { argument: "message", problem: String });
      t.notMatch(String(detail.problem).replace(/^unknown keys.*/, ""), /event_id|schema_version/, "in its own words");
    }
    await refused(t, "YD108", "no message", () => value(db, "select daybook.publish('mails', null)"));
    for (const route of ["nothing", "events", "acme-mails", ""])
      t.match(await refused(t, "YD501", route, () => publish({ type: "T" }, route)), { kind: "route", name: route });
    await refused(t, "YD501", "null", () => value(db, `select daybook.publish(null, '{"type": "T"}')`));
    await refused(t, "YD105", "too large", () => publish({ type: "T", data: { x: "x".repeat(1_100_000) } }));
  });
});

t.test("a role of one tenant publishes for no other", async (t) => {
  const acme = await connect(t, await roleLogin(database, { roles: ["daybook_writer"], tenants: ["acme"] }));
  await refused(t, "YD201", "its own is not the default", () =>
    rows(acme, `select daybook.publish('mails', '{"type": "T"}')`),
  );
  await refused(t, "YD201", "another", () => rows(acme, `select daybook.publish('mails', '{"type": "T"}', 'globex')`));
  await acme.query(`select daybook.publish('acme-mails', '{"type": "T"}', 'acme')`);
  await acme.query("set daybook.tenant = 'acme'");
  await acme.query(`select daybook.publish('mails', '{"type": "T"}')`);
  await refused(t, "YD202", "narrowed", () =>
    rows(acme, `select daybook.publish('mails', '{"type": "T"}', 'default')`),
  );
  t.same(await column(db, "select route from daybook.outbox_log where tenant_id = 'acme' order by 1"), [
    "acme-mails",
    "mails",
  ]);
  const reader = await connect(t, await roleLogin(database, { roles: ["daybook_reader"] }));
  await t.rejects(reader.query(`select daybook.publish('mails', '{"type": "T"}')`), { code: "42501" });
});

t.test("a reader never skips a message: appends and publishes in flight, committed in every order", async (t) => {
  const names = ["a", "b", "c"] as const;
  const open = await Promise.all(names.map(() => openSession(database.url)));
  const reader = await openSession(database.url);
  t.teardown(() => Promise.all([...open, reader].map((s) => s.end())));
  const orders = [
    [0, 1, 2],
    [0, 2, 1],
    [1, 0, 2],
    [1, 2, 0],
    [2, 0, 1],
    [2, 1, 0],
  ];
  for (const order of orders) {
    let from = await reader.value<number>("select daybook.horizon()");
    const written: number[] = [];
    for (const [i, session] of open.entries()) {
      await session.rows("begin");
      if (i === 1) await session.rows("select daybook.append_event('order-1' || $1, 'T')", [order.join("")]);
      written.push(await session.value<number>(`select daybook.publish('mails', '{"type": "T", "key": "k"}')`));
    }
    const seen: number[] = [];
    const follow = async () => {
      const horizon = await reader.value<number>("select daybook.horizon()");
      seen.push(
        ...(await reader.column<number>("select position from daybook.read_outbox_for('mails', $1, $2, 100)", [
          from,
          horizon,
        ])),
      );
      from = Math.max(from, horizon);
    };
    for (const i of order) {
      await follow();
      await open[i]?.rows(i === order[1] && order[0] === 0 ? "rollback" : "commit");
    }
    await follow();
    const kept = written.filter((_, i) => !(i === order[1] && order[0] === 0));
    t.same(seen, kept, `ended in order ${order.join(" ")}`);
  }
});

t.test("several in one transaction keep their order; a savepoint takes its own back", async (t) => {
  await db.query("begin");
  await publish({ type: "First", key: "s" });
  await db.query("savepoint x");
  await publish({ type: "Undone", key: "s" });
  await db.query("rollback to x");
  await publish({ type: "Second", key: "s" });
  await db.query("commit");
  t.same(await column(db, "select type from daybook.outbox_log where stream_id = 's' order by position"), [
    "First",
    "Second",
  ]);
});

t.test("a route for direct messages takes no events", async (t) => {
  await db.query("select daybook.append_event('mails-1', 'T')");
  t.equal(await value(db, "select count(*) from daybook.outbox_log where route = 'mails' and version is not null"), 0);
});
