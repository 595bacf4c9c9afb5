import t from "tap";
import { testDatabase } from "../support/database.ts";
import { appendTo, horizon, lastValue, readAll } from "./support/in-flight.ts";
import { sessions } from "./support/sessions.ts";

/* Whoever does not append holds nobody back, whatever else they do. */

const { url } = await testDatabase(t);
const elsewhere = await testDatabase(t);
const { stranger, a, reader } = await sessions(t, url, ["stranger", "a", "reader"]);
const { other } = await sessions(t, elsewhere.url, ["other"]);
await reader.rows("create table rows_of_others (id integer)");
await appendTo(a, "strangers-1");
await appendTo(other, "strangers-1");

const key = "daybook._position_lock(0)";
const OPEN: Record<string, readonly string[]> = {
  "a transaction that has written": ["begin", "insert into rows_of_others values (1)"],
  "a transaction with an old snapshot": ["begin isolation level repeatable read", "select * from daybook.events"],
  "a serializable transaction": ["begin isolation level serializable", "insert into rows_of_others values (1)"],
  "a reader of the log": ["begin", "select * from daybook.read_all()"],
  "an append that was rolled back to a savepoint": [
    "begin",
    "savepoint s",
    "select daybook.append_event('strangers-1', 'Tested')",
    "rollback to s",
  ],
  "a refused append": ["begin", "savepoint s", "select daybook.append_event('strangers-1', '')", "rollback to s"],
  "a lock on one bigint with the same bits": [
    "begin",
    `select pg_advisory_xact_lock((1145196363::bigint << 32) + ${2 ** 31})`,
  ],
  "a lock of another namespace": [
    "begin",
    `select pg_advisory_xact_lock(1145196362, ${key}), pg_advisory_xact_lock(1145196364, ${key})`,
  ],
};

for (const [name, statements] of Object.entries(OPEN)) {
  t.test(`${name} holds nobody back`, async (t) => {
    for (const text of statements) {
      const outcome = await stranger.outcome(text);
      t.match(outcome, /^(ok|YD101)$/, text);
    }
    const before = await lastValue(reader);
    const position = await appendTo(a, "strangers-1");
    t.equal(await horizon(reader), position);
    t.same(await readAll(reader, before), [position]);
    await stranger.rows("rollback");
  });
}

t.test("an append in flight in another database holds nobody back", async (t) => {
  await other.rows("begin");
  await appendTo(other, "strangers-1");
  const before = await lastValue(reader);
  const position = await appendTo(a, "strangers-1");
  t.equal(await horizon(reader), position);
  t.same(await readAll(reader, before), [position]);
  await other.rows("rollback");
});
