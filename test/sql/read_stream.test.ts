import t from "tap";
import { testDatabase } from "../support/database.ts";
import { column, connect, inTransaction, rows, value } from "./support.ts";

const database = await testDatabase(t);
const db = await connect(t, database.url);
await db.query(`
  select daybook.append('a-1', (select jsonb_agg(jsonb_build_object('type', 'T' || n, 'data', jsonb_build_object('n', n))) from generate_series(1, 25) n));
  select daybook.append_event('a-1', 'Other', tenant_id => 'other');
  select daybook.append_event('a-2', 'Neighbour');
  select daybook.append_streams('[{"stream_id": "checked-1", "expected_version": 0}]')`);
const versions = (call: string) => column(db, `select version from daybook.${call}`);
const range = (from: number, to: number) =>
  Array.from({ length: Math.abs(to - from) + 1 }, (_, i) => (from <= to ? from + i : from - i));

t.test("an event is read as the view shows it", async (t) => {
  t.same(
    await rows(db, "select * from daybook.read_stream('a-1')"),
    await rows(db, "select * from daybook.events where stream_id = 'a-1' and tenant_id = 'default' order by version"),
  );
  t.same(
    (await db.query("select * from daybook.read_stream('a-1')")).fields.map((f) => f.name),
    (await db.query("select * from daybook.events")).fields.map((f) => f.name),
  );
});

const reads: Record<string, number[]> = {
  "read_stream('a-1')": range(1, 25),
  "read_stream('a-1', 1, 1000)": range(1, 25),
  "read_stream('a-1', null)": range(1, 25),
  "read_stream('a-1', 0)": range(1, 25),
  "read_stream('a-1', 10)": range(10, 25),
  "read_stream('a-1', 10, 5)": range(10, 14),
  "read_stream('a-1', max_count => 1)": [1],
  "read_stream('a-1', 25)": [25],
  "read_stream('a-1', 26)": [],
  "read_stream('a-1', 9223372036854775807)": [],
  "read_stream('a-1', max_count => 100000)": range(1, 25),
  "read_stream('a-1', backwards => true)": range(25, 1),
  "read_stream('a-1', backwards => true, max_count => 3)": range(25, 23),
  "read_stream('a-1', 10, 3, true)": range(10, 8),
  "read_stream('a-1', 1, 3, true)": [1],
  "read_stream('a-1', 0, 3, true)": [],
  "read_stream('a-1', 26, 3, true)": range(25, 23),
  "read_stream('a-1', 9223372036854775807, 3, true)": range(25, 23),
  "read_stream('a-1', tenant_id => 'other')": [1],
  "read_stream('a-1', tenant_id => 'nobody')": [],
  "read_stream('A-1')": [],
  "read_stream('a')": [],
  "read_stream('')": [],
  "read_stream(null)": [],
  "read_stream('checked-1')": [],
  "read_stream('checked-1', backwards => true)": [],
};
for (const [call, expected] of Object.entries(reads)) {
  t.test(call, async (t) => t.same(await versions(call), expected));
}

t.test("pages put together give each event once, in either direction", async (t) => {
  for (const size of [1, 4, 25, 26]) {
    const forwards: unknown[] = [];
    for (;;) {
      const page = await versions(`read_stream('a-1', ${forwards.length + 1}, ${size})`);
      forwards.push(...page);
      if (page.length < size) break;
    }
    t.same(forwards, range(1, 25));
    const backwards = await versions(`read_stream('a-1', null, ${size}, true)`);
    while (Number(backwards.at(-1)) > 1) {
      backwards.push(...(await versions(`read_stream('a-1', ${Number(backwards.at(-1)) - 1}, ${size}, true)`)));
    }
    t.same(backwards, range(25, 1));
  }
});

t.test("what a transaction has written it reads; others read it once it is committed", async (t) => {
  const writer = await connect(t, database.url);
  await inTransaction(writer, async () => {
    await writer.query("select daybook.append_event('open-1', 'T')");
    t.equal(await value(writer, "select count(*) from daybook.read_stream('open-1')"), 1);
    t.equal(await value(writer, "select daybook.stream_version('open-1')"), 1);
    t.equal(await value(db, "select count(*) from daybook.read_stream('open-1')"), 0);
    t.equal(await value(db, "select daybook.stream_version('open-1')"), 0);
  });
  t.equal(await value(db, "select count(*) from daybook.read_stream('open-1')"), 1);
});

t.test("stream_version", async (t) => {
  for (const [call, expected] of Object.entries({
    "'a-1'": 25,
    "'a-1', 'other'": 1,
    "'a-1', 'nobody'": 0,
    "'nothing-1'": 0,
    "'checked-1'": 0,
    null: 0,
  })) {
    t.equal(await value(db, `select daybook.stream_version(${call})`), expected, call);
  }
});

t.test("read_event", async (t) => {
  const [event] = await rows(db, "select * from daybook.events where stream_id = 'a-2'");
  t.same(await rows(db, "select * from daybook.read_event($1)", [event?.event_id]), [event]);
  t.same(
    await rows(db, "select * from daybook.read_event($1, 'other')", [event?.event_id]),
    [],
    "not in another tenant",
  );
  t.same(await rows(db, "select * from daybook.read_event(gen_random_uuid())"), []);
  t.same(await rows(db, "select * from daybook.read_event(null)"), []);
});
