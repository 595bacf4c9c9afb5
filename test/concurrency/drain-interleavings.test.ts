import t, { type Test } from "tap";
import { testDatabase } from "../support/database.ts";
import { roleLogin } from "../support/roles.ts";
import { endedOrBlocked, endsAlone, type Row, type Session, sessions } from "./support/sessions.ts";

/*
 * Who drains, who un-parks, and people who pause, reset, retry and discard meet on one handler, step by step. They
 * exclude each other by the row locks of its cursors.
 */

const database = await testDatabase(t);
const login = (role: string) => roleLogin(database, { roles: [role], tenants: ["*"] });
const { a, b } = await sessions(t, await login("daybook_worker"), ["a", "b"]);
const { person, someone } = await sessions(t, await login("daybook_admin"), ["person", "someone"]);
const { owner } = await sessions(t, database.url, ["owner"]);

const claim = (session: Session, name: string) =>
  session.rows("select * from daybook.claim_consumer('handler', $1, 0, 1)", [name]);
const read = (session: Session, name: string, from: number, horizon: number) =>
  session.column<number>("select position from daybook.read_events_for($1, $2, $3)", [name, from, horizon]);
const finish = (session: Session, name: string, from: number, to: number) =>
  session.outcome("select daybook.finish_batch('handler', $1, 0, $2, $3)", [name, from, to]);
const state = async (name: string) =>
  (
    await owner.rows("select state, position, parked_streams, dead_letters from daybook.handlers where name = $1", [
      name,
    ])
  )[0];

let stores = 0;
/** A handler of its own, at the end of the log, and behind that the events of a test; their streams' first position. */
async function handlerWith(
  streams: readonly string[],
  options = "",
): Promise<{ name: string; from: number; last: number }> {
  stores += 1;
  const name = `h${stores}`;
  const from = await owner.value<number>("select last_value from daybook.positions");
  await a.rows(`select daybook.create_handler($1, categories => array[$1], start_from => 'now'${options})`, [name]);
  for (const stream of streams) await owner.rows("select daybook.append_event($1 || '-' || $2, 'T')", [name, stream]);
  return { name, from: stores === 1 ? 0 : from, last: from + streams.length };
}

async function fail(session: Session, name: string, at: number, position: number): Promise<string> {
  const [event] = await owner.rows("select * from daybook.events where position = $1", [position]);
  return session.value("select daybook.fail_message('handler', $1, 0, $2, $3, $4, $5, 'T', '{}')", [
    name,
    at,
    position,
    event?.stream_id,
    event?.event_id,
  ]);
}

const makeDue = () => owner.rows("update daybook.parked_streams set retry_at = now() where retry_at is not null");

/** Starts what has to wait for a holder, and gives its outcome once the holder goes on. */
async function waits(t: Test, session: Session, holder: Session, text: string, values: readonly unknown[] = []) {
  const outcome = session.outcome(text, values);
  t.equal(await endedOrBlocked(owner, session, [holder], outcome), "blocked", `${text.slice(0, 60)} waits`);
  return { outcome };
}

await owner.rows("select daybook.append_event('before-1', 'T')");

t.test("two claims of one shard: one has it, the other nothing, and waits for nobody", async (t) => {
  const { name, last } = await handlerWith(["1", "2"]);
  await a.rows("begin");
  t.match(await claim(a, name), [{ horizon: last }]);
  await b.rows("begin");
  const second = claim(b, name);
  t.equal(await endedOrBlocked(owner, b, [a], second), "ended");
  t.same(await second, []);
  t.same(await b.rows("select * from daybook.claim_parked('handler', $1, 0, 1)", [name]), []);
  await b.rows("commit");
  await a.rows("rollback");
  t.equal((await claim(b, name)).length, 1);
});

t.test("two drains that both believe they own a shard: one moves it, the other writes nothing", async (t) => {
  const { name, from, last } = await handlerWith(["1", "2", "3"]);
  await owner.rows("create table written (who text); grant insert on written to daybook_worker");
  for (const session of [a, b]) await session.rows("begin");
  await a.rows("insert into written values ('a')");
  await b.rows("insert into written values ('b')");
  t.equal(await finish(a, name, from, last - 1), "ok");
  const late = await waits(t, b, a, "select daybook.finish_batch('handler', $1, 0, $2, $3)", [name, from, last]);
  await a.rows("commit");
  t.equal(await late.outcome, "YD503");
  await b.rows("rollback");
  t.same(await owner.column("select who from written"), ["a"]);
  t.match(await state(name), { position: last - 1 });
});

for (const call of [
  "pause_handler($1)",
  "resume_handler($1)",
  "reset_handler($1)",
  "advance_handler($1, 1, 'why')",
  "drop_handler($1)",
]) {
  t.test(`${call.split("(")[0]} waits for the batch in hand; then nobody handles on`, async (t) => {
    const { name, from, last } = await handlerWith(["1", "2"]);
    await a.rows("begin");
    await claim(a, name);
    const byHand = await waits(t, person, a, `select daybook.${call}`, [name]);
    t.same(await read(a, name, from, last), [last - 1, last]);
    t.equal(await finish(a, name, from, last), "ok");
    await a.rows("commit");
    t.equal(await byHand.outcome, "ok");
    if (call.startsWith("pause")) t.match(await state(name), { state: "paused", position: last });
    if (call.startsWith("reset")) t.match(await state(name), { position: 0 });
    if (call.startsWith("advance")) t.match(await state(name), { position: last });
  });
}

t.test(
  "while somebody pauses, nobody begins: what is claimed then is nothing, before the commit and after",
  async (t) => {
    const { name, from, last } = await handlerWith(["1"]);
    await person.rows("begin");
    await person.rows("select daybook.pause_handler($1)", [name]);
    t.same(await claim(a, name), []);
    const late = await waits(t, b, person, "select daybook.finish_batch('handler', $1, 0, $2, $3)", [name, from, last]);
    await person.rows("commit");
    t.same(await claim(a, name), []);
    t.equal(await late.outcome, "YD503", "a drain that has not claimed is told, too");
  },
);

t.test("a claim that began before a pause was committed, and got the lock after it, sees the pause", async (t) => {
  const { name } = await handlerWith(["1"]);
  // the statement that looks for the cursor begins, and waits on a gate that the owner holds
  await owner.rows("begin");
  await owner.rows("select pg_advisory_lock(77)");
  await owner.rows("commit");
  await a.rows(
    "prepare late as select c.* from (select pg_advisory_lock_shared(77) is not null as open offset 0) g cross join lateral daybook.claim_consumer(case when g.open then 'handler' end, $1, 0, 1) c",
  );
  const late = a.rows(`execute late('${name}')`);
  t.equal(await endedOrBlocked(owner, a, [owner], late), "blocked");
  await person.rows("select daybook.pause_handler($1)", [name]);
  await owner.rows("select pg_advisory_unlock(77)");
  t.same(await late, []);
  await a.rows("select pg_advisory_unlock_all()");
});

t.test(
  "a pause forced between a drain's reading of what is parked and its commit, with an un-parking in between: nothing is lost",
  async (t) => {
    const { name, from, last } = await handlerWith(["1", "2", "1"]);
    t.equal(await fail(a, name, from, from + 1), "parked");
    await makeDue();
    await a.rows("begin");
    t.match(await claim(a, name), [{ has_parked: true }]);
    t.same(await read(a, name, from, last), [from + 2], "the parked stream is left out");
    t.same(
      await b.rows("select * from daybook.claim_parked('handler', $1, 0, 1)", [name]),
      [],
      "nobody un-parks meanwhile",
    );
    const late = await waits(t, b, a, "select daybook.finish_parked('handler', $1, $1 || '-1', $2, $3)", [
      name,
      from + 1,
      from + 1,
    ]);
    await a.rows("select pg_sleep(0.05)");
    t.equal(await finish(a, name, from, last), "ok");
    await a.rows("commit");
    t.equal(await late.outcome, "ok");
    t.same(
      await b.rows("select position, through from daybook.claim_parked('handler', $1, 0, 1)", [name]),
      [{ position: last, through: last }],
      "what the drain left out is the parked stream's",
    );
  },
);

t.test("while a parked stream is tried, nobody drains the shard; events appended meanwhile come behind", async (t) => {
  const { name, from, last } = await handlerWith(["1", "1"]);
  await fail(a, name, from, from + 1);
  await finish(a, name, from, last);
  await makeDue();
  await a.rows("begin");
  t.match(await a.rows("select * from daybook.claim_parked('handler', $1, 0, 1)", [name]), [
    { position: from + 1, through: last },
  ]);
  await owner.rows("select daybook.append_event($1 || '-1', 'T')", [name]);
  t.same(await claim(b, name), []);
  await a.rows("select daybook.finish_parked('handler', $1, $1 || '-1', $2, $3)", [name, from + 1, last]);
  t.same(await claim(b, name), []);
  await a.rows("commit");
  await b.rows("begin");
  t.equal((await claim(b, name)).length, 1);
  t.same(await read(b, name, last, last + 1), [last + 1]);
  await b.rows("rollback");
});

t.test(
  "a failure that is said while another drain has the shard waits for it, and counts for nothing if it has moved",
  async (t) => {
    const { name, from, last } = await handlerWith(["1", "2"]);
    await b.rows("begin");
    await claim(b, name);
    const [event] = await owner.rows<Row & { event_id: string }>("select * from daybook.events where position = $1", [
      last,
    ]);
    const late = a.value("select daybook.fail_message('handler', $1, 0, $2, $3, $1 || '-2', $4, 'T', '{}')", [
      name,
      from,
      last,
      event?.event_id,
    ]);
    t.equal(await endedOrBlocked(owner, a, [b], late), "blocked");
    await finish(b, name, from, last);
    await b.rows("commit");
    t.equal(await late, "stale");
    t.match(await state(name), { parked_streams: 0 });
  },
);

for (const [what, text, first] of [
  ["retried", "select daybook.retry_dead_letters(name => $1)", "retrying"],
  ["discarded", "select daybook.discard_dead_letters('handler', $1, 'why')", "discarded"],
] as const) {
  t.test(`a dead letter that is ${what} while a drain has the shard, and by two people at once`, async (t) => {
    const { name, from, last } = await handlerWith(["1", "2", "1"], ", max_attempts => 1");
    await fail(a, name, from, from + 1);
    await a.rows("begin");
    await claim(a, name);
    t.same(await read(a, name, from, last), [from + 2]);
    const byHand = await waits(t, person, a, text, [name]);
    await finish(a, name, from, last);
    await a.rows("commit");
    t.equal(await byHand.outcome, "ok");
    t.same(await owner.column("select state from daybook.dead_letters where name = $1", [name]), [first]);
    t.same(await a.column("select position from daybook.claim_parked('handler', $1, 0, 1)", [name]), [
      what === "retried" ? from + 1 : last,
    ]);
    await person.rows("begin");
    t.equal(
      await person.value("select daybook.discard_dead_letters('handler', $1, 'why')", [name]),
      what === "retried" ? 1 : 0,
    );
    const second = await waits(t, someone, person, "select daybook.discard_dead_letters('handler', $1, 'also')", [
      name,
    ]);
    await person.rows("commit");
    t.equal(await second.outcome, "ok");
    t.same(
      await owner.column("select state_reason from daybook.dead_letters where name = $1", [name]),
      ["why"],
      "the first one's",
    );
  });
}

t.test("a handler that two processes make at once is made once", async (t) => {
  await a.rows("begin");
  t.equal(await a.value("select daybook.create_handler('both', shards => 2)"), true);
  const second = b.value("select daybook.create_handler('both', shards => 2)");
  t.equal(await endedOrBlocked(owner, b, [a], second), "blocked");
  await a.rows("commit");
  t.equal(await second, false);
  t.equal(await owner.value("select count(*) from daybook.cursors where name = 'both'"), 2);
});

t.test("a change of shards never waits for a batch in hand, and comes to pass when it has ended", async (t) => {
  const { name, from, last } = await handlerWith(["1", "2"]);
  await a.rows("begin");
  await claim(a, name);
  const change = b.value("select daybook.create_handler($1, categories => array[$1], shards => 3)", [name]);
  t.equal(await endedOrBlocked(owner, b, [a], change), "ended");
  t.equal(await finish(a, name, from, last), "ok");
  await a.rows("commit");
  t.same(await claim(b, name), []);
  t.equal(await owner.value("select shards from daybook.handlers where name = $1", [name]), 3);

  // all are at one position, and somebody has one of them
  await a.rows("begin");
  await owner.rows("select daybook.append_event($1 || '-3', 'T')", [name]);
  t.equal((await a.rows("select * from daybook.claim_consumer('handler', $1, 1, 3)", [name])).length, 1);
  await b.rows("select daybook.create_handler($1, categories => array[$1], shards => 4)", [name]);
  const other = b.rows("select * from daybook.claim_consumer('handler', $1, 0, 3)", [name]);
  t.equal(await endsAlone(owner, b, [a], other), true, "who comes next does not wait");
  t.same(await other.catch(() => "cancelled"), []);
  t.equal(await owner.value("select shards from daybook.handlers where name = $1", [name]), 3);
  await a.rows("rollback");
  t.same(await b.rows("select * from daybook.claim_consumer('handler', $1, 0, 3)", [name]), []);
  t.equal(await owner.value("select shards from daybook.handlers where name = $1", [name]), 4);
});
