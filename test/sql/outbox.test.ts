import t from "tap";
import { WAYS } from "../concurrency/support/calls.ts";
import { testDatabase } from "../support/database.ts";
import { roleLogin } from "../support/roles.ts";
import { column, connect, inTransaction, row, rows, value } from "./support.ts";

const database = await testDatabase(t);
const db = await connect(t, database.url);
const create = (args: string) => value(db, `select daybook.create_route(${args})`);
const messages = (stream: string) =>
  rows(db, "select route, version, topic, type from daybook.outbox_log where stream_id = $1 order by route, position", [
    stream,
  ]);

t.test("an event goes by every route that matches it, in the transaction that appends it", async (t) => {
  await create("'all', 'queue'");
  await create("'by-category', 'queue', 'c.{category}', categories => '{order,cart}'");
  await create(
    "'by-type', 'queue', '{stream}/{type}/{tenant}/100%', types => '{Placed}', public_name => 'order.placed', public_version => 3",
  );
  await create("'by-both', 'queue', types => '{Placed}', categories => '{cart}'");
  await create("'by-tenant', 'queue', tenant_id => 'acme'");
  await create("'direct', 'queue', direct => true");
  await db.query(
    `select daybook.append_event('order-{type}', 'Placed', '{"a": 1}', '{"m": 2}', event_id => '0198c7f2-0000-7000-8000-00000000000a',
       correlation_id => '0198c7f2-0000-7000-8000-000000000001', causation_id => '0198c7f2-0000-7000-8000-000000000002')`,
  );
  t.same(await messages("order-{type}"), [
    { route: "all", version: 1, topic: "order", type: "Placed" },
    { route: "by-category", version: 1, topic: "c.order", type: "Placed" },
    { route: "by-type", version: 1, topic: "order-{type}/Placed/default/100%", type: "order.placed" },
  ]);
  t.match(
    await row(
      db,
      "select o.*, e.occurred_at = o.occurred_at as same_time from daybook.outbox_log o join daybook.events e using (position) where route = 'by-type'",
    ),
    {
      message_id: "0198c7f2-0000-7000-8000-00000000000a",
      correlation_id: "0198c7f2-0000-7000-8000-000000000001",
      causation_id: "0198c7f2-0000-7000-8000-000000000002",
      type_version: 3,
      data: { a: 1 },
      metadata: { m: 2 },
      same_time: true,
    },
  );
  await db.query("select daybook.append_event('cart-1', 'Placed', tenant_id => 'acme')");
  t.same(
    (await messages("cart-1")).map((m) => m.route),
    ["all", "by-both", "by-category", "by-tenant", "by-type"],
  );
  await db.query("select daybook.drop_route('all', 'would take all that follows')");
});

for (const { name, call } of WAYS) {
  t.test(`${name}: the messages are those of the events, and go when they go`, async (t) => {
    const stream = `cart-${name.replaceAll(/\W/g, "")}`;
    const append = async () => {
      const { text, values } = call({ stream });
      await db.query(text, [...values]);
    };
    await append();
    await inTransaction(db, async () => {
      await append();
      await db.query("savepoint s");
      await append();
      await db.query("rollback to s");
      await append();
    });
    await db.query("begin");
    await append();
    await db.query("rollback");
    const events = await rows(
      db,
      "select position, version, event_id from daybook.events where stream_id = $1 order by position",
      [stream],
    );
    t.ok(events.length >= 3);
    t.same(
      await rows(
        db,
        "select position, version, message_id as event_id from daybook.outbox_log where stream_id = $1 and route = 'by-category' order by position",
        [stream],
      ),
      events,
    );
    const horizon = await value(db, "select daybook.horizon()");
    t.same(
      (
        await rows(
          db,
          "select position from daybook.read_outbox_for('by-category', 0, $1, 1000) where stream_id = $2",
          [horizon, stream],
        )
      ).length,
      events.length,
    );
  });
}

t.test("an event with all that one may have, by each way, is the same message", async (t) => {
  const event = {
    type: "Placed",
    data: { text: "é\"'\\" },
    metadata: { by: "ada" },
    occurred_at: "2026-01-01T00:00:00Z",
    tags: ["x"],
    schema_version: 7,
  };
  await db.query("select daybook.append('cart-full1', $1)", [JSON.stringify([event, event])]);
  await db.query("select daybook.append_batch($1)", [
    JSON.stringify([{ stream_id: "cart-full2", events: [event, event] }]),
  ]);
  await db.query("select daybook.append_streams($1)", [
    JSON.stringify([{ stream_id: "cart-full3", events: [event, event] }]),
  ]);
  const seen = await rows(
    db,
    "select distinct data, metadata, occurred_at, type_version from daybook.outbox_log where stream_id like 'cart-full_' and route = 'by-category'",
  );
  t.equal(seen.length, 1);
  t.match(seen[0], { data: event.data, metadata: event.metadata, occurred_at: new Date(event.occurred_at) });
});

t.test("an append that no route wants opens no table of the outbox", async (t) => {
  for (const { name, call } of WAYS) {
    const opened = async (stream: string) => {
      const { text, values } = call({ stream });
      await db.query("begin");
      await db.query(text, [...values]);
      const found = await column(
        db,
        `select distinct relation::regclass::text from pg_locks where pid = pg_backend_pid() and locktype = 'relation'
            and relation in ('daybook.outbox_log'::regclass, 'daybook.outbox_routes'::regclass, 'daybook.consumers'::regclass)`,
      );
      await db.query("rollback");
      return found;
    };
    t.same(await opened("unwanted-1"), [], name);
    t.same(await opened("cart-1"), ["daybook.outbox_log"], `${name}, wanted`);
  }
});

t.test("a batch: an entry that fails has no messages, the others do; a repeated key writes none again", async (t) => {
  const appends = [
    { stream_id: "cart-b1", events: [{ type: "A" }], idempotency_key: "k" },
    { stream_id: "cart-b2", events: [{ type: "A" }], expected_version: 9 },
    { stream_id: "cart-b3", events: [{ type: "A" }] },
  ];
  for (const _ of [1, 2]) await db.query("select daybook.append_batch($1)", [JSON.stringify(appends)]);
  t.same(
    await column(db, "select stream_id from daybook.outbox_log where stream_id like 'cart-b_' order by stream_id"),
    ["cart-b1", "cart-b3", "cart-b3"],
  );
});

t.test("row security: a session reads the messages of its tenants alone", async (t) => {
  await db.query(
    "select daybook.append_event('cart-t', 'T', tenant_id => 'a'), daybook.append_event('cart-t', 'T', tenant_id => 'b')",
  );
  const worker = await connect(t, await roleLogin(database, { roles: ["daybook_worker"] }));
  const tenants = (from: string) =>
    column(worker, `select distinct tenant_id from ${from} where stream_id = 'cart-t' order by 1`);
  for (const from of [
    "daybook.outbox",
    "daybook.outbox_log",
    "daybook.read_outbox_for('by-category', 0, 1000000, 1000)",
  ]) {
    t.same(await tenants(from), ["a", "b"], from);
    await inTransaction(worker, async () => {
      await worker.query("set local daybook.tenant = 'a'");
      t.same(await tenants(from), ["a"], from);
    });
  }
  for (const relation of ["outbox_log", "outbox", "routes"]) {
    const writer = await connect(t, await roleLogin(database, { roles: ["daybook_writer"], tenants: ["a"] }));
    await t.rejects(writer.query(`select from daybook.${relation}`), { code: "42501" });
  }
});
