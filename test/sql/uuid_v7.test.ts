import { readFile } from "node:fs/promises";
import t from "tap";
import { testDatabase } from "../support/database.ts";
import { column, value } from "./support.ts";

const database = await testDatabase(t);
const db = database.pool;

// on PostgreSQL 18 the form for 15 to 17 is tried as well: the same file, told that the server is older
const file = await readFile(new URL("../../sql/functions/uuid_v7.sql", import.meta.url), "utf8");
const older = file
  .replace("current_setting('server_version_num')::integer >= 180000", "false")
  .replaceAll("daybook.uuid_v7", "older.uuid_v7");
if (older === file.replaceAll("daybook.uuid_v7", "older.uuid_v7"))
  throw new Error("the form for 15 to 17 was not found");
await db.query(`create schema older; ${older}`);

for (const schema of ["daybook", "older"]) {
  t.test(`${schema}.uuid_v7: version 7, the variant of RFC 9562, the clock in front`, async (t) => {
    const before = Math.floor(Number(await value(db, "select extract(epoch from clock_timestamp())::float8 * 1000")));
    const ids = (await column(db, `select ${schema}.uuid_v7()::text from generate_series(1, 2000)`)).map(String);
    const after = Math.ceil(Number(await value(db, "select extract(epoch from clock_timestamp())::float8 * 1000")));
    for (const id of ids) {
      if (!/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/.test(id)) t.fail(id);
      const time = Number.parseInt(id.replaceAll("-", "").slice(0, 12), 16);
      if (time < before - 1 || time > after + 1) t.fail(`${id} says ${time}, made between ${before} and ${after}`);
    }
    t.equal(new Set(ids).size, ids.length, "each once");
    t.equal(new Set(ids.map((id) => id.slice(19, 23))).size > 100, true, "the rest is random");
    const times = ids.map((id) => id.slice(0, 13));
    t.same(times, times.toSorted(), "later ids sort later");
  });
}

t.test("events that are given no id get one, each its own", async (t) => {
  await db.query(`
    select daybook.append_event('a-1', 'T'), daybook.append_event('a-1', 'T'), daybook.append('a-1', '[{"type": "T"}, {"type": "T"}]');
    select daybook.append_batch('[{"stream_id": "a-1", "events": [{"type": "T"}, {"type": "T", "event_id": null}]}]')`);
  const ids = (await column(db, "select event_id::text from daybook.events")).map(String);
  t.equal(new Set(ids).size, 6);
  t.same(
    ids.filter((id) => !/^.{14}7.{4}[89ab]/.test(id)),
    [],
  );
});
