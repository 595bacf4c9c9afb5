import t from "tap";
import { testDatabase } from "../support/database.ts";
import { appendBatch, appendStreams, type Call, WAYS } from "./support/calls.ts";
import { appendTo, lastValue, readAll } from "./support/in-flight.ts";
import { logViolations } from "./support/log.ts";
import { forgetThisMonth } from "./support/partitions.ts";
import { endsAlone, openSession, sessions } from "./support/sessions.ts";

/*
 * The first append of a month that has no partition makes it, and its transaction may stay open for long. Meanwhile
 * others append without waiting: their events are recorded in the last moment of the month before.
 */

const { url } = await testDatabase(t);
const { a, b, reader, monitor } = await sessions(t, url, ["a", "b", "reader", "monitor"]);
// A test that fails in the middle leaves the next ones nothing to wait for.
t.afterEach(() => Promise.all([a, b, reader, monitor].map((session) => session.rows("rollback"))));

const OLD = "event_log_test_1";
const place = async (position: unknown) => {
  const text =
    "select c.relname::text from daybook.event_log l join pg_class c on c.oid = l.tableoid where l.position = $1";
  return (await monitor.column<string>(text, [position]))[0];
};
const partitions = () =>
  monitor.column<string>("select partition_name from daybook.event_partitions order by range_from");

const CALLS: Record<string, (fresh: string) => Call> = {
  ...Object.fromEntries(WAYS.map(({ name, call }) => [name, () => call({ stream: "month-b" })])),
  ...Object.fromEntries(
    WAYS.map(({ name, call }) => [`${name} of a new stream`, (fresh: string) => call({ stream: fresh })]),
  ),
  "append_streams of three": (fresh) => appendStreams({ stream: "month-b" }, { stream: fresh }, { stream: "month-c" }),
  "append_batch of three": (fresh) => appendBatch({ stream: "month-b" }, { stream: fresh }, { stream: "month-c" }),
};

for (const [name, maker] of Object.entries(CALLS)) {
  t.test(`${name} makes a missing partition; meanwhile nobody waits`, async (t) => {
    for (const end of ["commit", "rollback"]) {
      await forgetThisMonth(monitor, b, ["month-a", "month-b", "month-c", "month-d"]);
      const before = await lastValue(monitor);
      await a.rows("begin");
      const made = maker(`month-made-by-${name}`);
      const [first] = await a.rows(made.text, made.values);
      let count = 0;
      for (const way of WAYS) {
        for (const stream of ["month-d", `month-new-${way.name}`]) {
          const { text, values } = way.call({ stream });
          const append = b.rows(text, values);
          t.ok(await endsAlone(monitor, b, [a], append), `${way.name} to ${stream} does not wait`);
          const [row] = await append;
          t.equal(await place(row?.last_position), OLD);
          count += way.name === "append" ? 2 : 1;
        }
      }
      t.same(await readAll(reader, before), [], "the reader waits for the append in flight");
      await a.rows(end);
      if (end === "commit") t.not(await place(first?.first_position), OLD);
      t.equal((await partitions()).length, end === "commit" ? 2 : 1);
      const log = await monitor.column<number>(
        "select position from daybook.event_log where position > $1 order by position",
        [before],
      );
      t.ok(log.length >= count);
      t.same(await readAll(reader, before), log);
      await appendTo(b, "month-d");
      await appendTo(b, "month-a");
      t.equal((await partitions()).length, 2, "the next append goes by the clock");
      t.same(await logViolations(monitor), []);
    }
  });
}

t.test("two find the partition missing: one makes it, the other goes on", async (t) => {
  await forgetThisMonth(monitor, b, ["month-a", "month-b"]);
  await a.rows("begin");
  await b.rows("begin");
  await appendTo(a, "month-a");
  const second = await appendTo(b, "month-b");
  t.equal(await place(second), undefined, "not committed yet");
  await b.rows("commit");
  t.equal(await place(second), OLD);
  await a.rows("commit");
  t.equal((await partitions()).length, 2);
});

t.test("an append in a transaction that has appended before finds the partition that others made since", async (t) => {
  // A session of its own that says the same over and over, without parameters: anything that it had to look up in the
  // catalogue would tell it of the partition.
  for (const call of [
    `append_event('month-b', 'Tested')`,
    `append('month-b', '[{"type": "Tested"}, {"type": "Tested"}]')`,
    `append_streams('[{"stream_id": "month-b", "events": [{"type": "Tested"}]}]')`,
    `append_batch('[{"stream_id": "month-b", "events": [{"type": "Tested"}]}]')`,
  ]) {
    for (const times of [1, 2, 3, 7]) {
      await forgetThisMonth(monitor, b, ["month-a"]);
      const session = await openSession(url);
      await session.rows("begin");
      await a.rows("begin");
      await appendTo(a, "month-a");
      for (let i = 0; i < times; i += 1) await session.rows(`select daybook.${call}`);
      await a.rows("commit");
      t.equal(await session.outcome(`select daybook.${call}`), "ok", `${call}, after ${times}`);
      t.equal(await session.outcome("commit"), "ok");
      t.same(await logViolations(monitor), []);
      await session.end();
    }
  }
});

t.test("partitions are made ahead while appends are open, and hold nobody up", async (t) => {
  await forgetThisMonth(monitor, b);
  await monitor.rows("select daybook.ensure_partitions(1)");
  await a.rows("begin");
  await appendTo(a, "month-a");
  await reader.rows("begin");
  await reader.rows("select * from daybook.read_all()");
  await monitor.rows("begin");
  const making = monitor.column<string>("select daybook.ensure_partitions(5)");
  t.ok(await endsAlone(b, monitor, [a, reader], making), "it waits for no append and no reader");
  t.equal((await making).length, 4);
  const append = appendTo(b, "month-b");
  t.ok(await endsAlone(a, b, [monitor], append), "an append does not wait for it");
  await appendTo(a, "month-a");
  await monitor.rows("commit");
  await reader.rows("commit");
  await a.rows("commit");
  t.same(await logViolations(monitor), []);
});
