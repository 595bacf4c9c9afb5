import t from "tap";
import { testDatabase } from "../support/database.ts";
import { appendTo, horizon, lastValue, readAll, registrations } from "./support/in-flight.ts";
import { endedOrBlocked, sessions } from "./support/sessions.ts";

const { url } = await testDatabase(t);
const { a, b, reader } = await sessions(t, url, ["a", "b", "reader"]);

t.test("before the first event the horizon is 0, and the first append in flight keeps it there", async (t) => {
  t.equal(await horizon(reader), 0);
  await a.rows("begin");
  t.equal(await appendTo(a, "first-a"), 1);
  t.equal(await horizon(reader), 0);
  t.equal(await appendTo(b, "first-b"), 2);
  t.equal(await horizon(reader), 0, "a later append has committed");
  t.same(await readAll(reader), []);
  await a.rows("commit");
  t.equal(await horizon(reader), 2);
  t.same(await readAll(reader), [1, 2]);
});

t.test("an append in flight holds the horizon below its position, also when it is rolled back", async (t) => {
  for (const end of ["commit", "rollback"]) {
    const before = await lastValue(reader);
    await a.rows("begin");
    await appendTo(a, "held-a");
    const second = await appendTo(b, "held-b");
    t.equal(await horizon(reader), before);
    t.same(await readAll(reader, before), []);
    await a.rows(end);
    t.equal(await horizon(reader), second);
    t.same(await readAll(reader, before), end === "commit" ? [second - 1, second] : [second]);
  }
});

t.test("the horizon is that of the oldest append in flight", async (t) => {
  const before = await lastValue(reader);
  await a.rows("begin");
  await b.rows("begin");
  const first = await appendTo(a, "oldest-a");
  const second = await appendTo(b, "oldest-b");
  t.equal(await horizon(reader), before);
  await a.rows("commit");
  t.equal(await horizon(reader), first);
  t.same(await readAll(reader, before), [first]);
  await b.rows("commit");
  t.equal(await horizon(reader), second);
});

t.test("the rollback of a savepoint that held the first append lets the next one register anew", async (t) => {
  const before = await lastValue(reader);
  await a.rows("begin");
  await a.rows("savepoint s");
  const lost = await appendTo(a, "savepoint-a");
  t.equal(await horizon(reader), before);
  await a.rows("rollback to s");
  t.equal(await horizon(reader), lost, "nothing is in flight");
  const other = await appendTo(b, "savepoint-b");
  const kept = await appendTo(a, "savepoint-a");
  t.equal(kept, other + 1);
  const later = await appendTo(b, "savepoint-b");
  t.ok((await horizon(reader)) < kept);
  t.same(await readAll(reader, before), [other]);
  await a.rows("commit");
  t.same(await readAll(reader, before), [other, kept, later]);
});

t.test("an append that is released with its savepoint stays registered", async (t) => {
  const before = await lastValue(reader);
  await a.rows("begin");
  await a.rows("savepoint s");
  const kept = await appendTo(a, "released-a");
  await a.rows("release s");
  await a.rows("savepoint t");
  await appendTo(a, "released-a");
  await a.rows("rollback to t");
  const later = await appendTo(b, "released-b");
  t.equal(await horizon(reader), before);
  await a.rows("commit");
  t.same(await readAll(reader, before), [kept, later]);
});

t.test("a transaction is registered at most twice, however many appends it makes", async (t) => {
  await a.rows("begin");
  await a.rows("select daybook.append_event('many-' || i % 7, 'Tested') from generate_series(1, 500) i");
  t.ok((await registrations(reader, a)) <= 2, "one statement");
  for (let i = 0; i < 20; i += 1) {
    await a.rows("savepoint s");
    await appendTo(a, "many-1");
    await appendTo(b, `many-other-${i}`);
    await a.rows(i % 2 === 0 ? "rollback to s" : "release s");
  }
  t.ok((await registrations(reader, a)) <= 2, "savepoints, and appends of others between");
  await a.rows("commit");
  t.equal(await registrations(reader, a), 0);
});

t.test("who cannot register waits: an append never goes on unregistered", async (t) => {
  for (const before of ["select 1", "select pg_current_xact_id()"]) {
    const last = await lastValue(reader);
    // Nobody has a reason to take this lock exclusively; whoever does must not make readers skip.
    const key = "1145196363, daybook._position_lock(pg_sequence_last_value('daybook.positions'))";
    await b.rows(`select pg_advisory_lock(${key})`);
    await a.rows("begin");
    await a.rows(before);
    const append = appendTo(a, "held-a");
    t.equal(await endedOrBlocked(reader, a, [b], append), "blocked");
    await b.rows("select pg_advisory_unlock_all()");
    const position = await append;
    const later = await appendTo(b, "held-b");
    t.same(await readAll(reader, last), []);
    await a.rows("commit");
    t.same(await readAll(reader, last), [position, later]);
  }
});

t.test("a reader whose snapshot stands still is refused", async (t) => {
  for (const isolation of ["repeatable read", "serializable"]) {
    for (const call of [
      "daybook.horizon()",
      "daybook.read_all()",
      "daybook.read_all(types => '{Tested}')",
      "daybook.read_type('Tested')",
      "daybook.read_category('first')",
    ]) {
      await reader.rows(`begin isolation level ${isolation}`);
      t.equal(await reader.outcome(`select * from ${call}`), "YD402", `${call} under ${isolation}`);
      await reader.rows("rollback");
    }
  }
  await reader.rows("begin isolation level read uncommitted");
  t.equal(await reader.outcome("select * from daybook.read_all()"), "ok");
  await reader.rows("rollback");
});
