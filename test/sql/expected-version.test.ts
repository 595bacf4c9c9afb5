import t from "tap";
import { testDatabase } from "../support/database.ts";
import { connect, refused, value, writesNothing } from "./support.ts";
import { type Way, ways } from "./ways.ts";

const database = await testDatabase(t);
const db = await connect(t, database.url);

async function streamAt(way: Way, version: number): Promise<string> {
  const stream = `v${version} ${way.name}-${crypto.randomUUID()}`;
  for (let n = 0; n < version; n++) await db.query("select daybook.append_event($1, 'Before')", [stream]);
  return stream;
}

// expected: null any · 0 must not exist · n exactly n · -1 must exist
const accepted = [
  { at: 0, expected: null },
  { at: 0, expected: undefined },
  { at: 0, expected: 0 },
  { at: 2, expected: null },
  { at: 2, expected: 2 },
  { at: 2, expected: -1 },
];
const conflicting = [
  { at: 0, expected: 1 },
  { at: 0, expected: -1 },
  { at: 0, expected: 999_999_999_999 },
  { at: 2, expected: 0 },
  { at: 2, expected: 1 },
  { at: 2, expected: 3 },
];

for (const way of ways) {
  t.test(`${way.name}: expected versions`, async (t) => {
    const counts = way.single ? [1] : [1, 3];
    for (const count of counts) {
      const events = Array.from({ length: count }, () => ({ type: "Next" }));
      for (const { at, expected } of accepted) {
        const stream = await streamAt(way, at);
        const result = await way.append(db, { stream, events, ...(expected === undefined ? {} : { expected }) });
        t.match(
          result,
          { version: at + count, last: result.first + count - 1, duplicate: false },
          `at ${at}, ${expected} expected, ${count} events: appended`,
        );
        t.equal(await value(db, "select daybook.stream_version($1)", [stream]), at + count);
      }
      for (const { at, expected } of conflicting) {
        const stream = await streamAt(way, at);
        await writesNothing(t, db, `at ${at}, ${expected} expected, ${count} events`, async () => {
          const name = `at ${at}, ${expected} expected`;
          const detail = await refused(t, "YD001", name, () => way.append(db, { stream, events, expected }));
          const conflict = { tenant_id: "default", stream_id: stream, expected, actual: at };
          t.same(detail, { ...conflict, conflicts: [conflict] }, `${name}: what was expected, what is there`);
        });
      }
    }
  });
}

t.test("the largest version there can be is a conflict like any other", async (t) => {
  await db.query("select daybook.append_event('top-1', 'T')");
  for (const call of [
    "append('top-1', '[{\"type\": \"T\"}]', $1)",
    "append_event('top-1', 'T', expected_version => $1)",
  ]) {
    const detail = await refused(t, "YD001", call, () => db.query(`select daybook.${call}`, ["9223372036854775807"]));
    t.match(detail, { stream_id: "top-1", actual: 1 });
  }
});

t.test("a stream that was only named in a check is still empty", async (t) => {
  await db.query(`select daybook.append_streams('[{"stream_id": "named-1", "expected_version": 0}]')`);
  t.equal(await value(db, "select count(*) from daybook.streams where stream_id = 'named-1'"), 0, "it is no stream");
  for (const way of ways) {
    const input = { stream: "named-1", events: [{ type: "T" }], expected: -1 };
    t.match(await refused(t, "YD001", way.name, () => way.append(db, input)), { expected: -1, actual: 0 });
  }
  await db.query("select daybook.append_event('named-1', 'T', expected_version => 0)");
  t.equal(await value(db, "select version from daybook.streams where stream_id = 'named-1'"), 1);
});
