import t from "tap";
import { testDatabase } from "../support/database.ts";
import { connect, inTransaction, type Row, row, rows, value } from "./support.ts";
import { ways, waysForMany } from "./ways.ts";

const database = await testDatabase(t);
const db = database.pool;
const stored = (stream: string): Promise<Row[]> =>
  rows(db, "select * from daybook.events where stream_id = $1 order by version", [stream]);

const full = {
  type: "MoneyDeposited",
  data: { amount: 100, note: "première", nested: { list: [1, null, "x"], empty: null } },
  metadata: { user: "u-1", nested: { nothing: null } },
  event_id: "0198f0a0-0000-7000-8000-00000000000a",
  correlation_id: "0198f0a0-0000-7000-8000-00000000000b",
  causation_id: "0198f0a0-0000-7000-8000-00000000000c",
  schema_version: 3,
  occurred_at: "2020-02-29T23:59:59.123456Z",
  tags: ["b:2", "a:1", "b:2"],
};

for (const way of ways) {
  const stream = `full ${way.name}-1`;
  t.test(`${way.name}: every field of an event is stored as given`, async (t) => {
    const result = await way.append(db, { stream, events: [full], expected: 0 });
    t.match(result, { version: 1, duplicate: false });
    t.equal(result.first, result.last);
    const [event] = await stored(stream);
    t.match(event, {
      position: result.first,
      tenant_id: "default",
      stream_id: stream,
      version: 1,
      category: `full ${way.name}`,
      type: full.type,
      data: full.data,
      metadata: full.metadata,
      event_id: full.event_id,
      correlation_id: full.correlation_id,
      causation_id: full.causation_id,
      schema_version: 3,
      tags: ["a:1", "b:2"],
    });
    t.equal(
      await value(db, "select (occurred_at = $2)::text from daybook.events where stream_id = $1", [
        stream,
        full.occurred_at,
      ]),
      "true",
      "occurred_at, to the microsecond",
    );
  });

  t.test(`${way.name}: what is left out has defaults`, async (t) => {
    for (const n of [1, 2]) {
      await way.append(db, { stream: `bare ${way.name}-1`, events: [{ type: "Bare" }] });
      const event = (await stored(`bare ${way.name}-1`))[n - 1];
      t.match(event, {
        version: n,
        data: {},
        metadata: {},
        schema_version: 1,
        correlation_id: null,
        causation_id: null,
        tags: null,
      });
      t.match(event?.event_id, /^[0-9a-f]{8}-[0-9a-f]{4}-7/);
      t.same(event?.occurred_at, event?.recorded_at, "occurred when it was recorded");
      t.ok(Math.abs(Date.now() - Number(event?.recorded_at)) < 60_000, "recorded now");
    }
  });

  t.test(`${way.name}: payloads are kept to the digit`, async (t) => {
    const payload =
      '{"n": 12345678901234567890.1234567890, "big": 1e400, "scale": 1.500, "neg": -0.0, "nil": {"a": [null, {"b": null}]}}';
    const text = payload.replace("{", `{"way": "${way.name}", `);
    const stream = `exact ${way.name}-1`;
    // twice: for a stream that is new and for one that is there
    for (const n of [1, 2]) {
      const call = {
        append:
          "append($1, jsonb_build_array(jsonb_build_object('type', 'T', 'data', $2::jsonb, 'metadata', $2::jsonb)))",
        append_event: "append_event($1, 'T', $2, $2)",
        append_streams:
          "append_streams(jsonb_build_array(jsonb_build_object('stream_id', $1::text, 'events', jsonb_build_array(jsonb_build_object('type', 'T', 'data', $2::jsonb, 'metadata', $2::jsonb)))))",
        append_batch:
          "append_batch(jsonb_build_array(jsonb_build_object('stream_id', $1::text, 'events', jsonb_build_array(jsonb_build_object('type', 'T', 'data', $2::jsonb, 'metadata', $2::jsonb)))))",
        "append_batch, singly":
          "append_batch(jsonb_build_array(jsonb_build_object('stream_id', $1::text, 'events', jsonb_build_array(jsonb_build_object('type', 'T', 'data', $2::jsonb, 'metadata', $2::jsonb))), jsonb_build_object('stream_id', $1::text, 'events', null)))",
      }[way.name];
      await db.query(`select daybook.${call}`, [stream, text]);
      t.same(
        await row(
          db,
          "select data::text = $2::jsonb::text as data, metadata::text = $2::jsonb::text as metadata, data ->> 'n' as n, data ->> 'scale' as scale, length(data ->> 'big') as big from daybook.events where stream_id = $1 and version = $3",
          [stream, text, n],
        ),
        { data: true, metadata: true, n: "12345678901234567890.1234567890", scale: "1.500", big: 401 },
      );
    }
  });
}

for (const way of waysForMany) {
  t.test(`${way.name}: many events keep their order, versions and positions without holes`, async (t) => {
    const stream = `many ${way.name}-1`;
    const events = Array.from({ length: 50 }, (_, i) => ({ type: i % 2 ? "Odd" : "Even", data: { i } }));
    const first = await way.append(db, { stream, events });
    t.same(first, { version: 50, first: first.first, last: first.first + 49, duplicate: false });
    const second = await way.append(db, { stream, events, expected: 50 });
    t.match(second, { version: 100, last: second.first + 49 });
    const read = await stored(stream);
    t.same(
      read.map((e) => [e.version, e.position, e.data]),
      [...events, ...events].map((e, i) => [i + 1, i < 50 ? first.first + i : second.first + i - 50, e.data]),
    );
    t.equal(new Set(read.map((e) => e.event_id)).size, 100);
  });
}

t.test(
  "names: the category is what stands before the first dash; dots, spaces and letters of any script are fine",
  async (t) => {
    for (const [stream, category] of [
      ["account-42", "account"],
      ["a-b-c", "a"],
      ["nodash", "nodash"],
      ["trailing-", "trailing"],
      ["día de fiesta-1", "día de fiesta"],
      ["予約-💶", "予約"],
      ["x".repeat(255), "x".repeat(255)],
      ["é".repeat(255), "é".repeat(255)],
    ]) {
      await db.query("select daybook.append_event($1, 'T')", [stream]);
      t.match(await stored(stream ?? ""), [{ stream_id: stream, category }]);
    }
  },
);

t.test("the application's rows and its events commit together, and roll back together", async (t) => {
  const client = await connect(t, database.url);
  await client.query("create table public.orders (id text primary key)");
  await inTransaction(client, async () => {
    await client.query("insert into public.orders values ('1')");
    await client.query("select daybook.append_event('order-1', 'Placed')");
  });
  await t.rejects(
    inTransaction(client, async () => {
      for (const way of ways) await way.append(client, { stream: `order-${way.name}`, events: [{ type: "Placed" }] });
      await client.query("select daybook.append_event('order-1', 'Placed')");
      await client.query("insert into public.orders values ('1')");
    }),
    { code: "23505" },
  );
  t.equal(await value(db, "select daybook.stream_version('order-1')"), 1);
  t.equal(await value(db, "select count(*) from daybook.streams where category = 'order'"), 1);
});

t.test("a savepoint rolled back takes its events along and leaves those before and after", async (t) => {
  const client = await connect(t, database.url);
  await inTransaction(client, async () => {
    await client.query("select daybook.append_event('save-1', 'Before')");
    await client.query("savepoint s");
    for (const way of ways) await way.append(client, { stream: "save-1", events: [{ type: "Undone" }] });
    await client.query("rollback to savepoint s");
    await client.query("select daybook.append_event('save-1', 'After', expected_version => 1)");
  });
  t.match(await stored("save-1"), [
    { version: 1, type: "Before" },
    { version: 2, type: "After" },
  ]);
});

t.test("recorded_at never runs backwards within a stream", async (t) => {
  await db.query("select daybook.append_event('clock-1', 'T')");
  await db.query(
    "update daybook.stream_heads set last_recorded_at = clock_timestamp() + interval '1 hour' where stream_id = 'clock-1'",
  );
  for (const way of ways) await way.append(db, { stream: "clock-1", events: [{ type: way.name }] });
  t.same(
    await rows(
      db,
      `select type from (
         select e.type, e.recorded_at, max(e.recorded_at) over (order by e.version rows unbounded preceding) as latest
           from daybook.events e where e.stream_id = 'clock-1') x
        where recorded_at < latest`,
    ),
    [],
  );
  t.equal(
    await value(
      db,
      "select count(*) from daybook.events e join daybook.streams s using (tenant_id, stream_id) where e.recorded_at not between s.first_recorded_at and s.last_recorded_at",
    ),
    0,
    "the bounds of each stream hold its events",
  );
});
