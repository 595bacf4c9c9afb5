import fc from "fast-check";
import t from "tap";
import { parseArray, parseRecord } from "../../src/adapters/literals.ts";
import { toParameter } from "../../src/adapters/parameters.ts";
import { rowsAsText } from "../../src/adapters/slonik-statement.ts";
import { parseTimestamp } from "../../src/adapters/timestamp.ts";
import { testDatabase } from "../support/database.ts";

const text = fc.string({ unit: fc.constantFrom(..."aÄ€ ,()[]{}\"'\\\t\nNUL0") }); // what the notations use, among others
const texts = fc.array(fc.option(text), { maxLength: 6 });

t.test("arrays and rows are read as PostgreSQL writes them", async (t) => {
  const { pool } = await testDatabase(t);
  await fc.assert(
    fc.asyncProperty(texts, texts, async (first, second) => {
      const { rows } = await pool.query(
        "select $1::text[]::text as list, row($2::text, $3::text, $1::text[])::text as record, array[$4::text[], $4::text[]]::text as grid",
        [first, first[0] ?? null, second[0] ?? null, second],
      );
      t.strictSame(parseArray(rows[0].list, String), first);
      t.strictSame(parseRecord(rows[0].record), [first[0] ?? null, second[0] ?? null, rows[0].list]);
      if (second.length > 0) t.strictSame(parseArray(rows[0].grid, String), [second, second]);
    }),
    { numRuns: 200 },
  );
  t.strictSame(parseArray("{}", String), []);
  t.strictSame(parseArray("[0:1]={1,2}", Number), [1, 2], "bounds of its own");
  t.strictSame(parseRecord("()"), []);
  t.strictSame(parseRecord("(,)"), [null, null]);
});

t.test("parameters arrive as they are", async (t) => {
  const { pool } = await testDatabase(t);
  await fc.assert(
    fc.asyncProperty(texts, fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), async (list, whole) => {
      const { rows } = await pool.query("select to_jsonb($1::text[]) as list, ($2::int8[])[1]::text as whole", [
        toParameter(list),
        toParameter([whole]),
      ]);
      t.strictSame(rows, [{ list, whole: String(whole) }]);
    }),
    { numRuns: 200 },
  );
  t.throws(() => toParameter(() => 1), TypeError);
  t.throws(() => toParameter(new Date(Number.NaN)), RangeError);
  t.strictSame(toParameter(new Uint8Array([1, 2]).subarray(1)), Buffer.from([2]));
});

t.test("timestamps are read to the millisecond, in any zone", async (t) => {
  const { pool } = await testDatabase(t);
  const zones = ["UTC", "Asia/Kolkata", "America/St_Johns", "Pacific/Apia"];
  const moment = fc.date({
    min: new Date("0001-01-02T00:00:00Z"),
    max: new Date("9999-12-30T00:00:00Z"),
    noInvalidDate: true,
  });
  await fc.assert(
    fc.asyncProperty(moment, fc.constantFrom(...zones), fc.integer({ min: 0, max: 999 }), async (at, zone, micros) => {
      const client = await pool.connect();
      try {
        await client.query("select set_config('timezone', $1, false)", [zone]);
        const { rows } = await client.query("select ($1::timestamptz + $2 * interval '1 microsecond')::text as text", [
          at.toISOString(),
          micros,
        ]);
        t.strictSame(parseTimestamp(rows[0].text), at);
      } finally {
        client.release(true);
      }
    }),
    { numRuns: 50 },
  );
  t.strictSame(parseTimestamp("0044-03-15 12:00:00+00 BC"), new Date("-000043-03-15T12:00:00Z"));
  t.strictSame(parseTimestamp("12026-01-01 00:00:00+00"), new Date("+012026-01-01T00:00:00Z"));
  t.equal(parseTimestamp("infinity"), Number.POSITIVE_INFINITY);
});

t.test("slonik is asked for text where that can be", async (t) => {
  const asked = {
    "select 1": /from \(select 1\n\)/,
    "-- one\n/* two */ SELECT 1;": /SELECT 1\n\)/,
    "(select 1) union select 2": /^select/,
    "values (1)": /^select/,
    "with a as (select 'insert') select * from a": /^select/,
    "insert into a values ('x') returning b": /^with daybook_row as \(insert/,
    "delete from a returning b": /^with/,
  };
  for (const [statement, expected] of Object.entries(asked)) t.match(rowsAsText(statement), expected, statement);
  const left = [
    "with a as (insert into b values (1) returning c) select * from a",
    "insert into a values ('returning', e'\\'returning', $tag$returning$tag$) -- returning",
    'update a set "returning" = 1',
    "create table a (b int)",
    "show timezone",
    "",
  ];
  for (const statement of left) t.equal(rowsAsText(statement), undefined, statement);
});
