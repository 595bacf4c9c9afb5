import t, { type Test } from "tap";
import { testDatabase } from "../support/database.ts";
import { endedOrBlocked, type Session, sessions } from "./support/sessions.ts";

/*
 * Inline projections on rows that appends share: what waits, what deadlocks, and what to do about it. The rows of `tally`
 * are touched in the order of the events of an append, those of `sorted` in the order of their keys.
 */

const database = await testDatabase(t);
const { owner, a, b } = await sessions(t, database.url, ["owner", "a", "b"]);
// a wait that nobody ends is a failure, too
for (const session of [a, b]) await session.rows("set deadlock_timeout = '50ms'; set lock_timeout = '15s'");
await owner.rows(`create schema app;
  create function app.tally(event daybook.event) returns void language plpgsql as $$ begin
    insert into tally as t values (event.data ->> 'key', 1) on conflict (key) do update set n = t.n + 1;
    perform pg_advisory_xact_lock_shared(7);
  end $$;
  create function app.sorted(events daybook.event[]) returns void language plpgsql as $$ begin
    insert into sorted as s select e.data ->> 'key', count(*) from unnest(events) e group by 1 order by 1
    on conflict (key) do update set n = s.n + excluded.n;
  end $$`);

const create = (name: string, options = "") =>
  owner.rows(
    `select daybook.create_projection($1, 'app.' || $1, jsonb_build_object($1::text, 'key text primary key, n bigint'), mode => 'inline', start_from => 'now'${options})`,
    [name],
  );
const drop = (name: string) => owner.rows("select daybook.drop_projection($1)", [name]);
/** One append of several events, each of a key. */
const append = (session: Session, stream: string, ...keys: string[]) =>
  session.outcome("select * from daybook.append($1, $2)", [
    stream,
    JSON.stringify(keys.map((key) => ({ type: "T", data: { key } }))),
  ]);
/** Two appends that touch both rows in opposite orders, and have touched one each (or wait for their turn) when they go on. */
async function crossed(): Promise<string[]> {
  await owner.rows("select pg_advisory_lock(7)");
  const [first, second] = [append(a, "s-1", "x", "y"), append(b, "s-2", "y", "x")];
  await endedOrBlocked(owner, a, [owner, b], first);
  await endedOrBlocked(owner, b, [owner, a], second);
  await owner.rows("select pg_advisory_unlock(7)");
  return Promise.all([first, second]);
}
const rows = (name: string) => owner.rows(`select key, n from daybook_projections.${name} order by key`);

t.test("one event at a time, in an order of its own: one of two appends is told to do it again", async (t) => {
  await create("tally");
  await append(a, "s-0", "x", "y");
  t.same((await crossed()).toSorted(), ["40P01", "ok"]);
  t.same(await rows("tally"), [
    { key: "x", n: 2 },
    { key: "y", n: 2 },
  ]);
  t.equal(await append(b, "s-2", "y", "x"), "ok");
  await drop("tally");
});

t.test("with serialize they take turns", async (t) => {
  await create("tally", ", serialize => true");
  await append(a, "s-0", "x", "y");
  t.same(await crossed(), ["ok", "ok"]);
  t.same(await rows("tally"), [
    { key: "x", n: 3 },
    { key: "y", n: 3 },
  ]);
  await drop("tally");
});

t.test("in the order of their keys: the second waits, and goes on", async (t) => {
  await create("sorted");
  await append(a, "s-0", "x", "y");
  await a.rows("begin");
  t.equal(await append(a, "s-1", "y", "x"), "ok");
  const second = append(b, "s-2", "x", "y");
  t.equal(await endedOrBlocked(owner, b, [a], second), "blocked");
  await a.rows("commit");
  t.equal(await second, "ok");
  await drop("sorted");
});

/** Whoever was told to do it again rolls back and does; then every event is in the rows once. */
async function endsWell(t: Test, outcomes: Record<"a" | "b", string>, again: readonly [string, ...string[]]) {
  t.same(Object.values(outcomes).toSorted(), ["40P01", "ok"]);
  const [told, other] = outcomes.a === "ok" ? [b, a] : [a, b];
  await told.rows("rollback");
  await other.rows("commit");
  t.equal(await append(told, ...again), "ok", "again");
  t.same(
    await rows("sorted"),
    await owner.rows(
      `select data ->> 'key' as key, count(*) as n from daybook.events
        where position > (select start_position from daybook.projection_versions) group by 1 order by 1`,
    ),
  );
}

t.test("several appends in one transaction: nobody orders their rows, one is told to do it again", async (t) => {
  await create("sorted");
  await append(a, "s-0", "x", "y");
  await a.rows("begin");
  await b.rows("begin");
  t.equal(await append(a, "s-1", "x"), "ok");
  t.equal(await append(b, "s-2", "y"), "ok");
  const [first, second] = await Promise.all([append(a, "s-1", "y"), append(b, "s-2", "x")]);
  await endsWell(t, { a: first, b: second }, ["s-1", "x", "y"]);
  await drop("sorted");
});

t.test("with serialize, too, where the other one has a stream by then that is appended to next", async (t) => {
  await create("sorted", ", serialize => true");
  await append(a, "s-0", "x", "y");
  await a.rows("begin");
  await b.rows("begin");
  t.equal(await append(a, "s-3", "x"), "ok");
  const waiting = append(b, "s-4", "y");
  t.equal(await endedOrBlocked(owner, b, [a], waiting), "blocked", "for its turn");
  const [first, second] = await Promise.all([append(a, "s-4", "y"), waiting]);
  await endsWell(t, { a: first, b: second }, ["s-4", "x", "y"]);
  await drop("sorted");
});
