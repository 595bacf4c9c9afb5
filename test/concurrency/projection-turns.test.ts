import t from "tap";
import { testDatabase } from "../support/database.ts";
import { WAYS } from "./support/calls.ts";
import { endedOrBlocked, endsAlone, sessions } from "./support/sessions.ts";

/*
 * An inline projection whose rows each rest on the one before, whoever appended that: appends take turns.
 */

const database = await testDatabase(t);
const { owner, a, b } = await sessions(t, database.url, ["owner", "a", "b"]);
await owner.rows(`create schema app;
  create function app.chain(event daybook.event) returns void language plpgsql as $$ begin
    insert into chain select coalesce(max(c.n), 0) + 1, event.position, coalesce(max(c.position), 0) from chain c; end $$`);
await owner.rows(
  `select daybook.create_projection('chain', 'app.chain', '{"chain": "n bigint, position bigint, before bigint"}', mode => 'inline', serialize => true, categories => '{chained}')`,
);

const broken = () =>
  owner.rows(
    "select * from (select c.*, lag(c.position, 1, 0::bigint) over (order by c.n) as is_before, row_number() over (order by c.n) as is_n from daybook_projections.chain c) c where n <> is_n or before <> is_before",
  );

for (const { name, call } of WAYS) {
  t.test(`${name}: the next waits for the one before`, async (t) => {
    await a.rows("begin");
    await a.rows("select daybook.append_event('chained-a', 'T')");
    const { text, values } = call({ stream: "chained-b" });
    const second = b.rows(text, values);
    if (name === "append_batch") {
      // it waits for nobody: it says that somebody else is at it
      t.match(await second, [{ status: "busy" }]);
    } else t.equal(await endedOrBlocked(owner, b, [a], second), "blocked");
    await a.rows("commit");
    await second;
    t.same(await broken(), []);
  });
}

t.test("what it does not follow waits for nobody", async (t) => {
  await a.rows("begin; select daybook.append_event('chained-a', 'T')");
  t.ok(await endsAlone(owner, b, [a], b.rows("select daybook.append_event('other-b', 'T')")));
  await a.rows("rollback");
  t.same(await broken(), []);
});

for (const level of ["repeatable read", "serializable"]) {
  t.test(`${level}: whoever does not see the one before must begin again`, async (t) => {
    await b.rows(`begin isolation level ${level}; select count(*) from daybook.events`);
    await a.rows("select daybook.append_event('chained-a', 'T')");
    t.equal(await b.outcome("select daybook.append_event('chained-b', 'T')"), "40001");
    await b.rows("rollback");
    t.equal(await b.outcome("select daybook.append_event('chained-b', 'T')"), "ok");
    t.same(await broken(), []);
  });
}
