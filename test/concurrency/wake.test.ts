import t, { type Test } from "tap";
import { testDatabase } from "../support/database.ts";
import { appendTo } from "./support/in-flight.ts";
import { openSession, sessions } from "./support/sessions.ts";
import { openSleeper } from "./support/sleepers.ts";

/* Who sleeps, who rides along, and who hears of an append. */

const { url, pool } = await testDatabase(t);
const { a, b } = await sessions(t, url, ["a", "b"]);
t.beforeEach(async () => {
  await b.rows("select pg_notify('daybook', '')");
});

async function awake(t: Test) {
  const sleeper = await openSleeper(t, url);
  await sleeper.heard();
  return sleeper;
}

t.test("an append notifies while somebody sleeps, and not otherwise", async (t) => {
  const sleeper = await awake(t);
  await appendTo(a, "wake-1");
  t.equal(await sleeper.heard(), 0, "nobody sleeps");
  t.equal(await sleeper.fallAsleep(), "asleep");
  t.equal(await sleeper.fallAsleep(), "asleep", "again makes no difference");
  await appendTo(a, "wake-1");
  await appendTo(a, "wake-1");
  t.equal(await sleeper.heard(), 2);
  await sleeper.wakeUp();
  await appendTo(a, "wake-1");
  t.equal(await sleeper.heard(), 0, "it is awake");
  await sleeper.wakeUp();
  t.equal(await sleeper.heard(), 0, "waking up again is harmless");
  await sleeper.end();
});

t.test("nobody falls asleep while an append is in flight that does not notify", async (t) => {
  const sleeper = await awake(t);
  for (const end of ["commit", "rollback"]) {
    await a.rows("begin");
    const position = await appendTo(a, "wake-2");
    t.equal(await sleeper.fallAsleep(), "appending");
    t.same(await pool.query(locksOf(sleeper.pid)).then(({ rows }) => rows), [], "and it keeps no lock");
    await a.rows(end);
    t.equal(await sleeper.fallAsleep(), "asleep");
    t.equal((await sleeper.look()).horizon >= position, true, `it sees what has come meanwhile (${end})`);
    await sleeper.wakeUp();
  }
  await sleeper.end();
});

t.test("a savepoint rolled back behind the try takes the try with it", async (t) => {
  const sleeper = await awake(t);
  await a.rows("begin");
  await appendTo(a, "wake-3");
  await a.rows("rollback; begin; savepoint s");
  await appendTo(a, "wake-3");
  await a.rows("rollback to savepoint s");
  t.equal(await sleeper.fallAsleep(), "asleep", "nothing is in flight any more");
  await appendTo(a, "wake-3");
  t.equal(await sleeper.heard(), 0, "not yet committed");
  await a.rows("savepoint s2");
  await appendTo(a, "wake-3");
  await a.rows("rollback to savepoint s2; commit");
  t.equal(await sleeper.heard(), 1, "the append outside the savepoint is heard of");
  await a.rows("begin; savepoint s");
  await appendTo(a, "wake-3");
  await a.rows("rollback to savepoint s; commit");
  t.equal(await sleeper.heard(), 0, "nothing was written");
  await sleeper.end();
});

t.test("riders are covered by a sleeper, and woken when it wakes up", async (t) => {
  const [sleeper, rider, another] = [await awake(t), await awake(t), await awake(t)];
  t.equal(await sleeper.fallAsleep(), "asleep");
  t.equal(await rider.fallAsleep(), "covered");
  t.equal(await rider.fallAsleep(), "covered", "again makes no difference");
  t.equal(await another.fallAsleep(), "covered");
  await appendTo(a, "wake-4");
  t.same([await sleeper.heard(), await rider.heard(), await another.heard()], [1, 1, 1]);
  await rider.wakeUp();
  t.equal(await another.heard(), 0, "a rider that leaves concerns nobody");
  await sleeper.wakeUp();
  t.equal(await another.heard(), 1, "the sleeper's waking is passed on");
  t.equal(await another.fallAsleep(), "asleep", "and a rider sleeps in its place");
  await appendTo(a, "wake-4");
  t.equal(await another.heard(), 1);
  await another.wakeUp();
  t.equal(await sleeper.heard(), 1, "only of the append: nobody rides along any more");
  for (const one of [sleeper, rider, another]) await one.end();
});

t.test("a rider takes its lock before it looks for the sleeper", async (t) => {
  const [sleeper, rider] = [await awake(t), await awake(t)];
  await sleeper.fallAsleep();
  // the sleeper is just looking for riders: a rider cannot be sure, and looks again a little later
  await a.rows("select pg_advisory_lock(1145196366, 1)");
  t.equal(await rider.fallAsleep(), "appending");
  await a.rows("select pg_advisory_unlock(1145196366, 1)");
  t.equal(await rider.fallAsleep(), "covered");
  await sleeper.end();
  await rider.end();
});

t.test("a killed sleeper leaves nothing behind; a rider finds out when it asks again", async (t) => {
  const [sleeper, rider] = [await awake(t), await awake(t)];
  await sleeper.fallAsleep();
  t.equal(await rider.fallAsleep(), "covered");
  await sleeper.kill(pool);
  await appendTo(a, "wake-5");
  t.equal(await rider.heard(), 0, "nobody sleeps, so nobody is told");
  t.equal(await rider.fallAsleep(), "asleep");
  await appendTo(a, "wake-5");
  t.equal(await rider.heard(), 1);
  await rider.kill(pool);
  await appendTo(a, "wake-5");
  t.same(await pool.query("select pg_notification_queue_usage() as usage").then(({ rows }) => rows), [{ usage: 0 }]);
});

t.test("while an append is in flight the log is not settled: one that is rolled back says nothing", async (t) => {
  const sleeper = await awake(t);
  await sleeper.fallAsleep();
  await a.rows("begin");
  const before = await appendTo(a, "wake-6");
  const behind = await appendTo(b, "wake-7");
  t.equal(await sleeper.heard(), 1);
  await sleeper.wakeUp();
  t.equal(await sleeper.fallAsleep(), "asleep", "the append in flight has notified, so it does not hold the lock");
  t.same(await sleeper.look(), { horizon: before - 1, settled: false }, "what lies behind it cannot be read yet");
  await a.rows("rollback");
  t.equal(await sleeper.heard(), 0);
  t.same(await sleeper.look(), { horizon: behind, settled: true });
  await sleeper.end();
});

const canPrepare = (await a.value<string>("show max_prepared_transactions")) !== "0";
const skip = canPrepare ? false : "the server has max_prepared_transactions = 0";
t.test("a transaction that is to be prepared does not notify with daybook.wake = off", { skip }, async (t) => {
  const sleeper = await awake(t);
  await sleeper.fallAsleep();
  await a.rows("begin");
  await appendTo(a, "wake-8");
  t.equal(await a.outcome("prepare transaction 'wake-8'"), "0A000", "one that notifies cannot be prepared");

  await a.rows("begin; set local daybook.wake = off");
  await appendTo(a, "wake-8");
  t.equal(await a.outcome("prepare transaction 'wake-8'"), "ok");
  t.equal(await sleeper.heard(), 0);
  t.equal((await sleeper.look()).settled, false, "it is in flight");
  await a.rows("commit prepared 'wake-8'");
  t.equal((await sleeper.look()).settled, true);
  await sleeper.wakeUp();

  const gone = await openSession(url);
  await gone.rows("begin; set local daybook.wake = off");
  await appendTo(gone, "wake-8");
  await gone.rows("prepare transaction 'wake-8'");
  await gone.end();
  t.equal(await sleeper.fallAsleep(), "appending", "prepared while nobody slept: nobody falls asleep until its end");
  await a.rows("rollback prepared 'wake-8'");
  t.equal(await sleeper.fallAsleep(), "asleep");
  await sleeper.end();
});

function locksOf(pid: number): string {
  return `select objid, mode from pg_locks where locktype = 'advisory' and pid = ${pid}`;
}
