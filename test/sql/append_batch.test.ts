import t from "tap";
import { testDatabase } from "../support/database.ts";
import { connect, type Queryable, type Row, row, rows, value } from "./support.ts";

const database = await testDatabase(t);
const db = database.pool;
const call = (entries: unknown, client: Queryable = db): Promise<Row[]> =>
  rows(client, "select * from daybook.append_batch($1)", [JSON.stringify(entries)]);
const event = { type: "T" };
const version = (stream: string) => value(db, "select daybook.stream_version($1)", [stream]);

t.test("each entry has its own outcome, in the order given", async (t) => {
  await db.query("select daybook.append_event('there-1', 'T')");
  await db.query(`select daybook.append('keyed-1', '[{"type": "T"}]', idempotency_key => 'k')`);
  const entries = [
    { stream_id: "new-1", events: [event, event] },
    { stream_id: "there-1", events: [event], expected_version: 1 },
    { stream_id: "new-2", events: [event], expected_version: 4 },
    { stream_id: "keyed-1", events: [event], idempotency_key: "k" },
    { stream_id: "keyed-1", events: [{ type: "Other" }], idempotency_key: "k" },
    { stream_id: "bad-1", events: [{ type: "" }] },
    "no entry",
    { stream_id: "new-3", events: [event], tenant_id: "other" },
    { stream_id: "new-4", events: [event] },
  ];
  const result = await call(entries);
  t.same(
    result.map((r) => [r.entry, r.status, r.stream_id, r.stream_version, r.duplicate]),
    [
      [0, "appended", "new-1", 2, false],
      [1, "appended", "there-1", 2, false],
      [2, "failed", "new-2", null, null],
      [3, "duplicate", "keyed-1", 1, true],
      [4, "failed", "keyed-1", null, null],
      [5, "failed", "bad-1", null, null],
      [6, "failed", null, null, null],
      [7, "appended", "new-3", 1, false],
      [8, "appended", "new-4", 1, false],
    ],
  );
  t.same(
    result.map((r) => (r.error as Row | null)?.code),
    [undefined, undefined, "YD001", undefined, "YD002", "YD101", "YD102", undefined, undefined],
  );
  for (const r of result) {
    if (r.status === "failed") {
      t.match(r, { first_position: null, last_position: null, error: { message: /./, hint: /./ } }, `entry ${r.entry}`);
      t.type(JSON.parse(String((r.error as Row).detail)), "object");
    } else {
      t.equal(r.error, null, `entry ${r.entry}`);
      t.ok(Number(r.last_position) >= Number(r.first_position));
    }
  }
  t.equal(await value(db, "select tenant_id from daybook.events where stream_id = 'new-3'"), "other");
  t.equal(await version("new-2"), 0, "nothing of a failed entry is left");
});

t.test("the order of a stream is the order of its entries", async (t) => {
  const kinds = [
    (n: number) => ({ stream_id: "order-1", events: [{ type: "T", data: { n } }] }),
    (n: number) => ({ stream_id: "order-1", events: [{ type: "T", data: { n } }], idempotency_key: `k-${n}` }),
    (n: number) => ({ stream_id: "order-1", events: [{ type: "T", data: { n } }], tenant_id: "default" }),
    (n: number) => ({ stream_id: "order-1", events: [{ type: "T", data: { n } }], expected_version: n }),
  ];
  const written: number[] = [];
  for (let from = 0; from < 64; from += 16) {
    const entries = Array.from({ length: 16 }, (_, i) => {
      // first plain ones only, then each kind alone, then mixed
      const n = from + i;
      const kind = kinds[from === 0 ? 0 : from === 16 ? i % 2 : from === 32 ? i % 3 : i % 4];
      if (kind === undefined) throw new Error("no kind");
      return kind(n);
    });
    const result = await call(entries.flatMap((e, i) => [e, { stream_id: `other-${i}`, events: [event] }]));
    t.same(new Set(result.map((r) => r.status)), new Set(["appended"]));
    t.same(
      result.filter((r) => r.stream_id === "order-1").map((r) => r.stream_version),
      entries.map((_, i) => from + i + 1),
    );
    written.push(...entries.map((_, i) => from + i));
  }
  t.same(
    (await rows(db, "select (data ->> 'n')::int as n from daybook.read_stream('order-1')")).map((r) => r.n),
    written,
  );
});

t.test("a stream that somebody else holds is busy, and nobody waits", async (t) => {
  const holder = await connect(t, database.url);
  await db.query("select daybook.append_event('held-1', 'T')");
  await holder.query("begin");
  await holder.query("select daybook.append_event('held-1', 'T'), daybook.append_event('held-new-1', 'T')");
  const started = performance.now();
  const result = await call([
    { stream_id: "free-1", events: [event] },
    { stream_id: "held-1", events: [event] },
    { stream_id: "held-1", events: [event], idempotency_key: "k" },
    { stream_id: "held-new-1", events: [event] },
    { stream_id: "held-new-1", events: [event], idempotency_key: "k" },
    { stream_id: "held-1", events: [{ type: "" }] },
    { stream_id: "free-2", events: [event] },
  ]);
  const took = performance.now() - started;
  t.same(
    result.map((r) => r.status),
    ["appended", "busy", "busy", "busy", "busy", "failed", "appended"],
  );
  for (const r of result.filter((r) => r.status === "busy")) {
    t.match(r, { stream_version: null, first_position: null, last_position: null, error: null });
  }
  t.ok(took < 2000, `took ${Math.round(took)} ms`);
  t.equal(await version("free-2"), 1);
  await holder.query("rollback");
  t.same(
    (await call([{ stream_id: "held-1", events: [event] }])).map((r) => r.status),
    ["appended"],
  );
});

t.test("the stream that the calling transaction holds itself is not busy", async (t) => {
  const client = await connect(t, database.url);
  await client.query("begin");
  await client.query("select daybook.append_event('mine-1', 'T')");
  t.match(await call([{ stream_id: "mine-1", events: [event] }], client), [{ status: "appended", stream_version: 2 }]);
  await client.query("commit");
  t.equal(await value(client, "show lock_timeout"), "0", "the session's lock_timeout is what it was");
});

t.test("an entry that fails in a trigger fails alone", async (t) => {
  await db.query(`
    create function public.refuse_poison() returns trigger language plpgsql as $$
    begin
      if new.type = 'Poison' then
        raise exception 'poison' using detail = 'no JSON', hint = 'none';
      end if;
      return new;
    end $$;
    create trigger refuse_poison before insert on daybook.event_log for each row execute function public.refuse_poison()`);
  const entries = Array.from({ length: 64 }, (_, i) => ({
    stream_id: `trigger-${i}`,
    events: [event, { type: i === 40 ? "Poison" : "T" }],
  }));
  const result = await call(entries);
  t.same(
    result.filter((r) => r.status !== "appended").map((r) => [r.entry, r.status, r.error]),
    [[40, "failed", { code: "P0001", message: "poison", detail: "no JSON", hint: "none" }]],
  );
  t.equal(await value(db, "select count(*) from daybook.events where category = 'trigger'"), 126);
  t.equal(await version("trigger-40"), 0);
});

t.test("positions follow the order of the entries", async (t) => {
  const result = await call(
    Array.from({ length: 30 }, (_, i) => ({ stream_id: `pos-${29 - i}`, events: [event, event] })),
  );
  const positions = result.flatMap((r) => [Number(r.first_position), Number(r.last_position)]);
  t.same(
    positions,
    positions.toSorted((a, b) => a - b),
  );
  t.same(
    await row(db, "select count(*), count(distinct position) as positions from daybook.events where category = 'pos'"),
    { count: 60, positions: 60 },
  );
});
