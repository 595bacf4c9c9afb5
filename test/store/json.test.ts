import fc from "fast-check";
import t from "tap";
import { exactNumber, InvalidEventError, type Json, parseJson } from "../../src/index.ts";
import { toJson } from "../../src/store/to-json.ts";
import { testDatabase } from "../support/database.ts";

/* JSON without loss: the table of src/store/json.ts. */

const write = (value: unknown) => toJson(value, 0, "data");

class Money {
  readonly amount = 1;
}

class WithToJson {
  toJSON() {
    return { amount: 12n, rate: exactNumber("0.1000000000000000000001") };
  }
}

function cycle(): object {
  const outer: { inner: unknown[] } = { inner: [] };
  outer.inner.push({ outer });
  return outer;
}

function nested(levels: number): object {
  let value: object = {};
  for (let i = 1; i < levels; i += 1) value = { a: value };
  return value;
}

t.test("what JSON cannot say is refused, with the path to it", async (t) => {
  const refused: readonly (readonly [value: unknown, path: string])[] = [
    [{ a: Number.NaN }, "data.a"],
    [{ a: [1, Number.POSITIVE_INFINITY] }, "data.a[1]"],
    [{ a: { b: [{ c: -Infinity }] } }, "data.a.b[0].c"],
    [{ a: [undefined] }, "data.a[0]"],
    // biome-ignore lint/suspicious/noSparseArray: that is the case
    [{ a: [1, , 3] }, "data.a[1]"],
    [{ a: () => 1 }, "data.a"],
    [{ "a b": Symbol("s") }, 'data["a b"]'],
    [{ [Symbol("s")]: 1 }, "data"],
    [{ a: new Map() }, "data.a"],
    [{ a: new Set([1]) }, "data.a"],
    [{ a: new Money() }, "data.a"],
    [{ a: new Error("e") }, "data.a"],
    [{ a: new Number(1) }, "data.a"],
    [{ a: /x/ }, "data.a"],
    [{ a: new Date(Number.NaN) }, "data.a"],
    [cycle(), "data.inner[0].outer"],
    [{ a: "x\0" }, "data.a"],
    [{ a: [{ "b\0": 1 }] }, 'data.a[0]["b\\u0000"]'],
    [{ a: "\ud800" }, "data.a"],
    [{ a: "\udc00\ud800" }, "data.a"],
    [{ "\ud800": 1 }, 'data["\\ud800"]'],
    [{ a: { toJSON: () => ({ b: [Number.NaN] }) } }, "data.a.b[0]"],
    [{ a: { toJSON: () => "x\0" } }, "data.a"],
  ];
  for (const [value, path] of refused) {
    t.throws(() => write(value), { name: "InvalidEventError", detail: { index: 0, path } }, path);
  }
  t.throws(() => write(nested(1001)), InvalidEventError);
  t.doesNotThrow(() => write(nested(1000)));
});

t.test("what is written, and what it is read as", async (t) => {
  const shared = { x: 1 };
  const cases: readonly (readonly [value: unknown, text: string, read?: Json])[] = [
    [{ a: undefined, b: 1 }, '{"b":1}', { b: 1 }],
    [{ a: -0 }, '{"a":0}', { a: 0 }],
    [{ a: 9007199254740993n }, '{"a":9007199254740993}', { a: 9007199254740993n }],
    [{ a: -9007199254740992n, b: 5n }, '{"a":-9007199254740992,"b":5}', { a: -9007199254740992n, b: 5 }],
    [{ a: Number.MAX_SAFE_INTEGER }, '{"a":9007199254740991}', { a: Number.MAX_SAFE_INTEGER }],
    [{ a: exactNumber("0.10") }, '{"a":0.10}', { a: 0.1 }],
    [{ a: exactNumber("1.2345678901234567890") }, '{"a":1.2345678901234567890}'],
    [{ a: new Date(0) }, '{"a":"1970-01-01T00:00:00.000Z"}', { a: "1970-01-01T00:00:00.000Z" }],
    [{ a: new WithToJson() }, '{"a":{"amount":12,"rate":0.1000000000000000000001}}'],
    [{ a: Object.assign(Object.create(null), { b: null }) }, '{"a":{"b":null}}', { a: { b: null } }],
    [{ a: shared, b: shared }, '{"a":{"x":1},"b":{"x":1}}', { a: { x: 1 }, b: { x: 1 } }],
    [{ a: "\u0001 \\u0000 \u2028 😀" }, '{"a":"\\u0001 \\\\u0000 \u2028 😀"}', { a: "\u0001 \\u0000 \u2028 😀" }],
    [JSON.parse('{"__proto__": {"a": 1}}'), '{"__proto__":{"a":1}}'],
  ];
  for (const [value, text, read] of cases) {
    t.equal(write(value), text);
    if (read !== undefined) t.strictSame(parseJson(text), read);
  }
});

t.test("a bigint stays exact when an application has given bigints a toJSON of its own", async (t) => {
  Object.defineProperty(BigInt.prototype, "toJSON", { value: () => "mine", configurable: true });
  t.teardown(() => Reflect.deleteProperty(BigInt.prototype, "toJSON"));
  t.equal(write({ a: 9007199254740993n }), '{"a":9007199254740993}');
});

t.test("what is read keeps its digits", async (t) => {
  const cases: readonly (readonly [text: string, read: Json])[] = [
    ["9007199254740991", 9007199254740991],
    ["9007199254740992", 9007199254740992n],
    ["-9007199254740992", -9007199254740992n],
    ["10000000000000000000000", 10n ** 22n],
    ["0.1", 0.1],
    ["0.30000000000000004", 0.30000000000000004],
    ["1.10", 1.1],
    ["123456789012345.0", 123456789012345],
    ["0.1000000000000000055511151231257827", exactNumber("0.1000000000000000055511151231257827")],
    ["123456789.123456789", exactNumber("123456789.123456789")],
    ["12345678901234567890.5", exactNumber("12345678901234567890.5")],
    ["1e400", exactNumber("1e400")],
    ["-1E-400", exactNumber("-1E-400")],
    ["5e-324", 5e-324],
    ["1.7976931348623157e308", Number.MAX_VALUE],
    ['"12345678901234567890.5"', "12345678901234567890.5"],
    ['["xxxxxxxxxxxxxxxxxxxx",9007199254740993]', ["xxxxxxxxxxxxxxxxxxxx", 9007199254740993n]],
  ];
  for (const [text, read] of cases) {
    t.strictSame(parseJson(text), read, text);
    t.strictSame(parseJson(`{"k": [${text}]}`), { k: [read] }, text);
    t.strictSame(parseJson(write({ k: parseJson(text) })), { k: read }, `${text}, written again`);
  }
  t.throws(() => parseJson("{"), SyntaxError);
  for (const text of ["", "01", "1.", ".5", "0x10", "NaN", '"1"', "1 "]) t.throws(() => exactNumber(text), SyntaxError);
});

/** Any payload that is taken, with numbers of every kind. */
const payload = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 4, depthSize: "small" },
    fc.constantFrom(null, true, false, 0.1 + 0.2, 2 ** 53, -(2 ** 53), 1e22, 5e-324, Number.MAX_VALUE),
    fc.string({
      unit: fc
        .integer({ min: 1, max: 0x10ffff })
        .filter((c) => c < 0xd800 || c > 0xdfff)
        .map((c) => String.fromCodePoint(c)),
    }),
    fc.double({ noNaN: true, noDefaultInfinity: true }),
    fc.integer(),
    fc.bigInt(),
    fc
      .tuple(fc.bigInt(), fc.bigInt({ min: 0n, max: 10n ** 25n }))
      .map(([whole, fraction]) => exactNumber(`${whole}.${fraction}`)),
    fc.date({ noInvalidDate: true }),
    fc.array(tie("value"), { maxLength: 4 }),
    fc.dictionary(
      fc.string({ unit: "grapheme" }).filter((key) => !key.includes("\0")),
      tie("value"),
      { maxKeys: 4 },
    ),
  ),
})).value;

/** What the table of json.ts says a value is read as; numbers as decimals, which is how they are compared. */
function expected(value: unknown): unknown {
  switch (typeof value) {
    case "number":
    case "bigint":
      return decimal(typeof value === "number" ? plain(value) : String(value));
    case "object":
      if (value === null) return null;
      if (value instanceof Date) return value.toISOString();
      if (Array.isArray(value)) return value.map(expected);
      if ("rawJSON" in value) return decimal(String(value.rawJSON));
      return new Map(Object.entries(value).map(([key, member]): [string, unknown] => [key, expected(member)]));
    default:
      return value;
  }
}

/** Each number in the form that the table gives it. */
function isByTheRules(value: unknown): boolean {
  if (typeof value === "bigint") return value >= 2n ** 53n || value <= -(2n ** 53n);
  if (typeof value !== "object" || value === null) return true;
  if ("rawJSON" in value) return decimal(plain(Number(value.rawJSON))) !== decimal(String(value.rawJSON));
  return Object.values(value).every(isByTheRules);
}

/** A double written out without exponent. */
function plain(value: number): string {
  const [mantissa = "", exponent = "0"] = String(value).split("e");
  const [whole = "", fraction = ""] = mantissa.replace("-", "").split(".");
  const point = whole.length + Number(exponent);
  const digits = (whole + fraction)
    .padStart(whole.length + fraction.length + Math.max(0, -point), "0")
    .padEnd(point, "0");
  const at = Math.max(0, point);
  return `${value < 0 ? "-" : ""}${digits.slice(0, at) || "0"}.${digits.slice(at) || "0"}`;
}

/** A decimal without the zeros that mean nothing. */
function decimal(text: string): string {
  const sign = text.startsWith("-") ? "-" : "";
  const [whole = "", fraction = ""] = text.replace("-", "").split(".");
  const short = `${whole.replace(/^0+/, "")}.${fraction.replace(/0+$/, "")}`;
  return short === "." ? "0" : sign + short;
}

t.test("what is taken comes back from the database as the table says", async (t) => {
  const { db } = await testDatabase(t);
  await fc.assert(
    fc.asyncProperty(fc.dictionary(fc.constantFrom("a", "b c", "__proto__", ""), payload), async (value) => {
      const [row] = await db.query<{ data: Json }>("select $1::jsonb as data", [write(value)]);
      t.strictSame(expected(row?.data), expected(value));
      t.ok(isByTheRules(row?.data));
      const [again] = await db.query<{ data: Json }>("select $1::jsonb as data", [write(row?.data)]);
      t.strictSame(again?.data, row?.data, "and once more");
    }),
    { numRuns: 200 },
  );
});
