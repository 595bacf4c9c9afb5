import t from "tap";
import { testDatabase } from "../support/database.ts";
import { roleLogin } from "../support/roles.ts";
import { appendTo, horizon, lastValue, readAll } from "./support/in-flight.ts";
import { sessions } from "./support/sessions.ts";

/*
 * That a transaction is registered is kept in the setting daybook.registered, which anybody may set to anything. A
 * writer who does appends all the same, and readers skip nothing.
 */

const database = await testDatabase(t);
const writer = await roleLogin(database, { roles: ["daybook_writer"], tenants: ["default"] });
const { b, reader } = await sessions(t, database.url, ["b", "reader"]);
const { a } = await sessions(t, writer, ["a"]);
await b.rows("select daybook.append_event('forged-' || i % 3, 'Tested') from generate_series(1, 40) i");

/** What a mark can be forged to, given the last value. */
const MARKS: Record<string, (last: number) => string> = {
  "the last value": String,
  "a later position": (last) => String(last + 1),
  "a much later position": (last) => String(last + 1000),
  "an earlier position": (last) => String(last - 20),
  zero: () => "0",
  negative: () => "-5",
  "a position 2^31 away": (last) => String(last + 2 ** 31),
  "a position 2^32 away": (last) => String(last + 2 ** 32),
  "18 digits": () => "9".repeat(18),
  "19 digits": () => "9".repeat(19),
  "a thousand digits": () => "9".repeat(1000),
  "a fraction": (last) => `${last}.5`,
  "an exponent": () => "1e3",
  text: () => "registered",
  empty: () => "",
  "a boolean": () => "on",
  "the session": () => String(a.pid),
};

const setters: Record<string, string> = {
  "set local": "select set_config('daybook.registered', $1, true)",
  set: "select set_config('daybook.registered', $1, false)",
};

/** What the transaction has done when the mark is forged. */
const BEFORE: Record<string, readonly string[]> = {
  "other writing": ["begin", "select pg_current_xact_id()"],
  "an append": ["begin", "select daybook.append_event('forged-1', 'Tested')"],
  "an append that a savepoint took back": [
    "begin",
    "savepoint s",
    "select daybook.append_event('forged-1', 'Tested')",
    "rollback to s",
  ],
};

for (const [mark, forge] of Object.entries(MARKS)) {
  t.test(`a mark forged to ${mark} makes nobody skip`, async (t) => {
    for (const [way, setter] of Object.entries(setters)) {
      for (const [name, statements] of Object.entries(BEFORE)) {
        const what = `${way}, after ${name}`;
        const before = await lastValue(reader);
        for (const text of statements) await a.rows(text);
        await a.rows(setter, [forge(await lastValue(reader))]);
        const position = await appendTo(a, "forged-1");
        const later = await appendTo(b, "forged-2");
        t.ok((await horizon(reader)) < position, `${what}: the horizon stays below the append in flight`);
        const seen = await readAll(reader, before);
        t.notOk(seen.includes(later), `${what}: a later event is not read`);
        await a.rows("commit");
        const rest = await readAll(reader, seen.at(-1) ?? before);
        t.same(rest.slice(-2), [position, later], `${what}: both are read in the end`);
        await a.rows("reset daybook.registered");
      }
    }
  });
}

t.test("a mark forged between savepoints makes nobody skip", async (t) => {
  const before = await lastValue(reader);
  await a.rows("begin");
  await a.rows("savepoint one");
  await appendTo(a, "forged-1");
  await a.rows("select set_config('daybook.registered', $1, true)", [String(await lastValue(reader))]);
  await a.rows("savepoint two");
  await a.rows("select set_config('daybook.registered', $1, false)", [String((await lastValue(reader)) + 1)]);
  await a.rows("rollback to two");
  await a.rows("rollback to one");
  await a.rows("select set_config('daybook.registered', $1, true)", [String(await lastValue(reader))]);
  const position = await appendTo(a, "forged-1");
  const later = await appendTo(b, "forged-2");
  t.ok((await horizon(reader)) < position);
  t.same(await readAll(reader, before), []);
  await a.rows("commit");
  t.same(await readAll(reader, before), [position, later]);
});

t.test("a mark left behind by an earlier transaction is no registration", async (t) => {
  await a.rows("select set_config('daybook.registered', $1, false)", [String(await lastValue(reader))]);
  for (const first of ["select 1", "select pg_current_xact_id()"]) {
    const before = await lastValue(reader);
    await a.rows("begin");
    await a.rows(first);
    const position = await appendTo(a, "forged-1");
    const later = await appendTo(b, "forged-2");
    t.same(
      (await readAll(reader, before)).filter((seen) => seen >= position),
      [],
    );
    await a.rows("commit");
    t.same(await readAll(reader, before), [position, later]);
  }
  await a.rows("reset daybook.registered");
});
