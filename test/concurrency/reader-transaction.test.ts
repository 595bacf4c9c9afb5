import t from "tap";
import { testDatabase } from "../support/database.ts";
import { appendTo, readAll } from "./support/in-flight.ts";
import { forgetThisMonth } from "./support/partitions.ts";
import { sessions } from "./support/sessions.ts";

/*
 * A consumer may follow the log within one transaction, page by page. A partition that is attached meanwhile does not
 * stop it; it has to take note of it all the same.
 */

const { url } = await testDatabase(t);
const { a, b, monitor } = await sessions(t, url, ["a", "b", "monitor"]);

const READS = [
  "select position from daybook.read_all($1)",
  "select position from daybook.read_all($1, types => '{Tested,Other}')",
  "select position from daybook.read_type('Tested', after_position => $1)",
  "select position from daybook.read_category('tx', $1)",
];

for (const text of READS) {
  t.test(`${text} in one transaction sees what was recorded in a partition made since`, async (t) => {
    await forgetThisMonth(monitor, b, ["tx-a", "tx-b"]);
    const { reader } = await sessions(t, url, ["reader"]);
    await reader.rows("begin");
    const first = await reader.column<number>(text, [0]);
    t.equal(first.length, 2);
    const cursor = first.at(-1) ?? 0;
    await a.rows("begin");
    const made = await appendTo(a, "tx-a");
    const later = await appendTo(b, "tx-b");
    t.same(await reader.column(text, [cursor]), []);
    await a.rows("commit");
    t.same(await reader.column(text, [cursor]), [made, later]);
    await reader.rows("commit");
  });
}

t.test("so does a consumer that reads the log itself, up to the horizon", async (t) => {
  const text = "select position from daybook.event_log where position > $1 and position <= $2 order by position";
  await forgetThisMonth(monitor, b, ["tx-a", "tx-b"]);
  const { reader } = await sessions(t, url, ["reader"]);
  await reader.rows("begin");
  const first = await reader.column<number>(text, [0, await reader.value("select daybook.horizon()")]);
  const cursor = first.at(-1) ?? 0;
  await a.rows("begin");
  const made = await appendTo(a, "tx-a");
  const later = await appendTo(b, "tx-b");
  await a.rows("commit");
  t.same(await reader.column(text, [cursor, await reader.value("select daybook.horizon()")]), [made, later]);
  await reader.rows("commit");
  t.same(await readAll(reader, cursor), [made, later]);
});

const ID = "0199a0c0-0000-7000-8000-000000000001";
const STREAM_READS: Record<string, { text: string; before: number[]; after: number[] }> = {
  read_stream: { text: "select version from daybook.read_stream('tx-a')", before: [1], after: [1, 2] },
  "read_stream, backwards": {
    text: "select version from daybook.read_stream('tx-a', backwards => true)",
    before: [1],
    after: [2, 1],
  },
  read_streams: { text: `select (event).version from daybook.read_streams('["tx-a"]')`, before: [1], after: [1, 2] },
  trace: { text: `select (event).version from daybook.trace('${ID}')`, before: [], after: [2] },
  read_event: { text: `select version from daybook.read_event('${ID}')`, before: [], after: [2] },
};

for (const [name, { text, before, after }] of Object.entries(STREAM_READS)) {
  t.test(`${name} in one transaction sees what was recorded in a partition made since`, async (t) => {
    await forgetThisMonth(monitor, b, ["tx-a"]);
    const { reader } = await sessions(t, url, ["reader"]);
    await reader.rows("begin");
    for (let i = 0; i < 3; i += 1) t.same(await reader.column(text), before);
    await a.rows(`select daybook.append_event('tx-a', 'Tested', event_id => '${ID}', correlation_id => '${ID}')`);
    t.same(await reader.column(text), after);
    await reader.rows("commit");
  });
}
