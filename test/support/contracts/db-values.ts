import type { Test } from "tap";
import { type Db, toDb } from "../../../src/index.ts";
import type { DbSubject } from "./db-contract.ts";

const columns = {
  int2: ["7::int2", 7],
  int4: ["-8", -8],
  int8: ["9007199254740993::int8", 9007199254740993n],
  small: ["5::int8", 5n],
  float: ["0.1::float8", 0.1],
  oid: ["26::oid", 26],
  numeric: ["12345678901234567890.10::numeric", "12345678901234567890.10"],
  yes: ["true", true],
  no: ["false", false],
  nothing: ["null::int8", null],
  txt: [`'a "quoted", (text) \\ and {more}'::text`, 'a "quoted", (text) \\ and {more}'],
  empty: ["''::text", ""],
  uuid: ["'0192d3c4-0000-7000-8000-000000000001'::uuid", "0192d3c4-0000-7000-8000-000000000001"],
  at: ["'2026-03-01 12:00:00.123456+00'::timestamptz", new Date("2026-03-01T12:00:00.123Z")],
  old: ["'1912-06-23 01:02:03+00'::timestamptz", new Date("1912-06-23T01:02:03Z")],
  day: ["'2026-03-01'::date", "2026-03-01"],
  local: ["'2026-03-01 12:00:00'::timestamp", "2026-03-01 12:00:00"],
  clock: ["'12:00:00'::time", "12:00:00"],
  bytes: ["'\\x00ff'::bytea", Buffer.from([0, 255])],
  texts: [`array['a', null, 'NULL', '', 'b"c,d\\']::text[]`, ["a", null, "NULL", "", 'b"c,d\\']],
  bigs: ["array[1, 9007199254740993]::int8[]", [1n, 9007199254740993n]],
  grid: ["array[array[1, 2], array[3, 4]]", [[1, 2], [3, 4]]], // biome-ignore format: it is a grid
  times: ["array['2026-03-01 12:00:00+00'::timestamptz]", [new Date("2026-03-01T12:00:00Z")]],
  uuids: ["array['0192d3c4-0000-7000-8000-000000000001'::uuid]", ["0192d3c4-0000-7000-8000-000000000001"]],
  object: [`'{"a": [1, 2.5, "x", null, true], "b": {}}'::jsonb`, { a: [1, 2.5, "x", null, true], b: {} }],
  exact: [`'{"big": 9007199254740993}'::jsonb`, { big: 9007199254740993n }],
  jsons: [`array['{"a": 1}'::jsonb]`, [{ a: 1 }]],
  scalar: [`'"text"'::json`, "text"],
} as const satisfies Record<string, readonly [sql: string, value: unknown]>;

/** Every type comes back as `Db` promises it, and goes there as it is. */
export async function checkValues(t: Test, { db }: DbSubject): Promise<void> {
  const root = toDb(db);
  const query: Db["query"] = (text, values, options) => root.query(text, values, options);
  const list = Object.entries(columns).map(([name, [sql]]) => `${sql} as "${name}"`);
  const expected = Object.fromEntries(Object.entries(columns).map(([name, [, value]]) => [name, value]));
  const text = `select ${list.join(", ")}`;

  t.strictSame(await query(text), [expected], "rows as objects");
  t.strictSame(await query(text, [], { rowMode: "array" }), [Object.values(expected)], "rows as arrays");
  t.strictSame(await query(`${text} where false`), [], "no rows");
  t.strictSame(await query("select from generate_series(1, 2)"), [{}, {}], "rows without columns");
  t.strictSame(await query("select 1 as a, 2 as a", [], { rowMode: "array" }), [[1, 2]], "two columns of one name");
  t.strictSame(
    await query("-- with a comment\nselect i::int8 from generate_series(3, 1, -1) i order by i desc -- and another"),
    [{ i: 3n }, { i: 2n }, { i: 1n }],
    "order is kept",
  );
  t.strictSame(await query("select i from generate_series(1, 2) i;"), [{ i: 1 }, { i: 2 }], "a semicolon does no harm");
  await checkParameters(t, query);
  await checkStatements(t, root);
}

async function checkParameters(t: Test, query: Db["query"]): Promise<void> {
  const at = new Date("2026-03-01T12:00:00.123Z");
  const values = [
    'a "text", \\ {x}',
    42,
    9007199254740993n,
    true,
    at,
    Buffer.from([0, 255]),
    ["a", null, 'b"c,d\\'],
    [1n, 2n],
    { a: [1, "x"] },
    null,
    undefined,
  ];
  const given = `select $1::text as a, $2::int as b, $3::int8 as c, $4::boolean as d, $5::timestamptz as e, $6::bytea as f,
    $7::text[] as g, $8::int8[] as h, $9::jsonb as i, $10::text as j, $11::text as k`;
  const back = [...values.slice(0, 10), null];
  t.strictSame(await query(given, values, { rowMode: "array" }), [back], "parameters");
  t.strictSame(await query("select $1::jsonb as doc", ['{"n": 12345678901234567890}']), [
    { doc: { n: 12345678901234567890n } },
  ]);
  t.strictSame(await query("select $1::text = 'ab' as same", ["ab"]), [{ same: true }]);
}

async function checkStatements(t: Test, root: Db): Promise<void> {
  for (const n of [1n, 2n, 3n]) {
    const rows = await root.query("select $1::int8 + 1 as next", [n], { name: "daybook_contract_next" });
    t.strictSame(rows, [{ next: n + 1n }], "a named statement, again and again");
  }
  await root.transaction(async (tx) => {
    t.strictSame(await tx.query("create temporary table contract_values (id int8, at timestamptz) on commit drop"), []);
    const inserted = await tx.query(
      "insert into pg_temp.contract_values values ($1, '2026-03-01 12:00:00+00') returning id, at",
      [5n],
    );
    t.strictSame(inserted, [{ id: 5n, at: new Date("2026-03-01T12:00:00Z") }], "a statement that is no SELECT");
    t.strictSame(await tx.query("with more as (select id + 1 as id from pg_temp.contract_values) select * from more"), [
      { id: 6n },
    ]);
    t.strictSame(
      await tx.query("update pg_temp.contract_values set id = 9007199254740993 where 'returning' <> $1 returning id", [
        "x",
      ]),
      [{ id: 9007199254740993n }],
    );
    t.strictSame(await tx.query("delete from pg_temp.contract_values where 'returning' <> $1", ["x"]), []);
    t.strictSame(await tx.query("drop table pg_temp.contract_values"), []);
  });
}
