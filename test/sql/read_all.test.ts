import t from "tap";
import { testDatabase } from "../support/database.ts";
import { column, connect, type Row, rows, value } from "./support.ts";

const database = await testDatabase(t);
const db = await connect(t, database.url);

// 6,000 events in two tenants; rare ones first, last and far apart: beyond the stretch of 8 × max_count (at least
// 1,000) that is read as it comes
const batch = (from: number, to: number, category: string, type: string, tenant = "default") =>
  db.query(
    `select daybook.append_batch(jsonb_agg(jsonb_build_object('stream_id', $1::text || '-' || n % 7, 'events', jsonb_build_array(jsonb_build_object('type', $2::text, 'data', jsonb_build_object('n', n))))), $3)
       from generate_series($4::int, $5::int) n`,
    [category, type, tenant, from, to],
  );
await batch(1, 3, "rare", "Rare");
await batch(1, 1500, "order", "Placed");
await batch(1, 1500, "order", "Placed", "other");
await batch(4, 5, "rare", "Rare");
await batch(1, 2, "order", "Rare");
await batch(1, 1500, "payment", "Paid");
await batch(6, 6, "rare", "Rare", "other");
await batch(1, 1500, "payment", "Refunded");
await batch(7, 8, "rare", "Rare");

interface Filter {
  types?: string[];
  categories?: string[];
  tenant?: string;
}
const filters: Filter[] = [
  {},
  { tenant: "other" },
  { tenant: "*" },
  { tenant: "nobody" },
  { types: ["Rare"] },
  { types: ["Rare"], tenant: "*" },
  { types: ["Rare"], categories: ["order"] },
  { types: ["Rare", "Refunded"] },
  { types: ["Placed", "Paid", "Refunded", "Rare"] },
  { categories: ["rare"] },
  { categories: ["rare", "payment"], types: ["Paid", "Rare"] },
  { categories: ["order"], tenant: "other" },
  { types: ["Nothing"] },
  { types: ["Nothing", "Rare"], categories: ["rare", "nothing"], tenant: "other" },
  { types: [] },
  { categories: [] },
];
const expectedOf = ({ types, categories, tenant = "default" }: Filter): Promise<Row[]> =>
  rows(
    db,
    `select * from daybook.events
      where ($1::text[] is null or type = any ($1)) and ($2::text[] is null or category = any ($2)) and $3 in (tenant_id, '*')
      order by position`,
    [types, categories, tenant],
  );
const page = ({ types, categories, tenant }: Filter, after: number, count: number): Promise<Row[]> =>
  rows(db, "select * from daybook.read_all($1, $2, $3, $4, $5)", [after, count, types, categories, tenant]);

for (const filter of filters) {
  t.test(`read_all ${JSON.stringify(filter)}: pages put together give each event once, in order`, async (t) => {
    const expected = await expectedOf(filter);
    const narrow = expected.length < 50;
    for (const size of narrow ? [1, 3, 1000] : [700, 100_000]) {
      const read: Row[] = [];
      for (let last: Row | undefined; ; ) {
        const next = await page(filter, Number(last?.position ?? 0), size);
        read.push(...next);
        last = next.at(-1);
        if (next.length < size) break;
      }
      t.same(
        read.map((e) => e.position),
        expected.map((e) => e.position),
        `pages of ${size}: ${expected.length} events`,
      );
    }
    t.same(await page(filter, 0, 5), expected.slice(0, 5), "as the view shows them");
  });
}

t.test("from any position on, the page is the same however far away its events are", async (t) => {
  const end = Number(await value(db, "select daybook.horizon()"));
  for (const filter of [{ types: ["Rare"] }, { categories: ["rare"], tenant: "*" }]) {
    const expected = await expectedOf(filter);
    const steps = Array.from({ length: Math.ceil(end / 499) + 1 }, (_, i) => i * 499);
    // where the stretch that is read as it comes ends right before one of them, at it, or right behind it
    const edges = expected.flatMap((e) => [1002, 1001, 1000, 999].map((distance) => Number(e.position) - distance));
    for (const after of [...steps, ...edges.filter((n) => n >= 0)]) {
      t.same(
        (await page(filter, after, 3)).map((e) => e.position),
        expected
          .filter((e) => Number(e.position) > after)
          .slice(0, 3)
          .map((e) => e.position),
        `after ${after}`,
      );
    }
  }
  t.same(await page({}, end, 10), [], "nothing behind the end");
  t.same(await page({}, 9_000_000_000_000, 10), [], "nor beyond it");
});

t.test("read_category is read_all of one category", async (t) => {
  for (const tenant of [null, "other", "*"]) {
    const expected = await expectedOf({ categories: ["rare"], tenant: tenant ?? "default" });
    t.same(await rows(db, "select * from daybook.read_category('rare', tenant_id => $1)", [tenant]), expected);
    t.same(
      await rows(db, "select * from daybook.read_category('rare', $2, 2, $1)", [tenant, expected[0]?.position]),
      expected.slice(1, 3),
    );
  }
  t.same(await rows(db, "select * from daybook.read_category('nothing')"), []);
});

t.test("read_type: since a moment, by recorded_at", async (t) => {
  const all = await expectedOf({ types: ["Rare"] });
  const since = (n: number) =>
    column(
      db,
      "select position from daybook.read_type('Rare', (select recorded_at from daybook.events where position = $1))",
      [all[n]?.position],
    );
  t.same(await rows(db, "select * from daybook.read_type('Rare')"), all);
  for (const n of [0, 3, 5, all.length - 1]) {
    const moment = await value(db, "select recorded_at from daybook.events where position = $1", [all[n]?.position]);
    const expected = await column(
      db,
      "select position from daybook.events where type = 'Rare' and tenant_id = 'default' and recorded_at >= (select recorded_at from daybook.events where position = $1) order by position",
      [all[n]?.position],
    );
    t.same(await since(n), expected, `since ${moment}`);
  }
  t.same(await rows(db, "select * from daybook.read_type('Rare', 'infinity')"), []);
  t.same(
    await rows(db, "select * from daybook.read_type('Rare', '-infinity', $1, 2)", [all[2]?.position]),
    all.slice(3, 5),
    "the next page",
  );
  t.equal((await rows(db, "select * from daybook.read_type('Rare', tenant_id => 'other')")).length, 1);
  t.same(await rows(db, "select * from daybook.read_type('rare')"), [], "types are told apart by case");
});

t.test("nothing beyond an append in flight, whichever way the log is read", async (t) => {
  const slow = await connect(t, database.url);
  const calls = [
    "read_all($1, $3)",
    "read_all($1, $3, types => '{Late}')",
    "read_all($1, $3, categories => '{late}', tenant_id => '*')",
    "read_all($1, $3, types => '{Late}', tenant_id => '*')",
    "read_category('late', $1, $3)",
    "read_type('Late', after_position => $1, max_count => $3)",
  ];
  for (const [end, seen] of [
    ["commit", ["first", "second"]],
    ["rollback", ["second"]],
  ] as const) {
    // once from near, where the log is read as it comes, and once from the beginning in pages so small that an index is walked
    for (const near of [true, false]) {
      const horizon = Number(await value(db, "select daybook.horizon()"));
      const stream = `late-${end}-${near}`;
      const read = async () => {
        const found: unknown[] = [];
        for (const call of near ? calls : calls.slice(1)) {
          const data = await column(
            db,
            `select data ->> 'which' from daybook.${call} where stream_id like $2 || '%' order by position`,
            [near ? horizon : 0, stream, near ? 1000 : 20],
          );
          found.push(data);
        }
        return found;
      };
      await slow.query("begin");
      await slow.query(`select daybook.append_event($1 || '-a', 'Late', '{"which": "first"}')`, [stream]);
      await db.query(`select daybook.append_event($1 || '-b', 'Late', '{"which": "second"}')`, [stream]);
      t.equal(await value(db, "select daybook.horizon()"), horizon, "the horizon stays where it was");
      t.same(new Set((await read()).flat()), new Set(), "neither is read while the first is in flight");
      await slow.query(end);
      for (const found of await read()) t.same(found, seen, `after its ${end}`);
    }
  }
});
