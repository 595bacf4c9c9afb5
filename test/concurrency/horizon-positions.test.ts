import t from "tap";
import { testDatabase } from "../support/database.ts";
import { appendTo, horizon, lastValue, readAll } from "./support/in-flight.ts";
import { sessions } from "./support/sessions.ts";

const { url } = await testDatabase(t);
const { a, b, reader } = await sessions(t, url, ["a", "b", "reader"]);

t.test("positions are drawn one by one: no session keeps any in stock", async (t) => {
  const [sequence] = await reader.rows(
    "select cache_size, increment_by, cycle from pg_sequences where schemaname = 'daybook' and sequencename = 'positions'",
  );
  t.same(sequence, { cache_size: 1, increment_by: 1, cycle: false });
});

/** Where the low 32 bits wrap round, where they change sign, where a key packed into one bigint would overflow. */
const EDGES = [2 ** 31, 2 ** 32, 3 * 2 ** 31, 7 * 2 ** 32, 2 ** 47, 2 ** 48, 2 ** 48 + 2 ** 31, 5 * 2 ** 48, 2 ** 52];

for (const edge of EDGES) {
  t.test(`nothing is skipped where positions pass ${edge}`, async (t) => {
    await a.rows("select setval('daybook.positions', $1)", [edge - 3]);
    for (let before = edge - 3; before < edge + 3; before = await lastValue(reader)) {
      await a.rows("begin");
      t.equal(await appendTo(a, "edge-a"), before + 1);
      t.equal(await appendTo(b, "edge-b"), before + 2);
      t.equal(await horizon(reader), before, `an append in flight at ${before + 1}`);
      t.same(await readAll(reader, before), []);
      await a.rows("commit");
      t.equal(await horizon(reader), before + 2);
      t.same(await readAll(reader, before), [before + 1, before + 2]);
    }
  });
}

t.test("an append in flight is found a billion positions later", async (t) => {
  const before = await lastValue(reader);
  await a.rows("begin");
  const first = await appendTo(a, "far-a");
  await b.rows("select setval('daybook.positions', $1)", [before + 2 ** 30]);
  const later = await appendTo(b, "far-b");
  t.equal(await horizon(reader), before);
  const again = await appendTo(a, "far-a");
  t.equal(await horizon(reader), before);
  await a.rows("commit");
  t.same(await readAll(reader, before), [first, later, again]);
});
