import t from "tap";
import { testDatabase } from "../support/database.ts";
import { WAYS } from "./support/calls.ts";
import { appendTo, readAll } from "./support/in-flight.ts";
import { logViolations } from "./support/log.ts";
import { forgetThisMonth, layOut, letMonthEnd, month, seal, setConstant } from "./support/partitions.ts";
import { endedOrBlocked, openSession, sessions } from "./support/sessions.ts";

/*
 * A sealed partition has a last position, and readers behind it leave it out: nothing may be recorded there any more,
 * neither by an append that was in flight nor by a clock that goes back.
 */

const { url, name } = await testDatabase(t);
const { a, b, reader, monitor } = await sessions(t, url, ["a", "b", "reader", "monitor"]);
// A test that fails in the middle leaves the next ones nothing to wait for.
t.afterEach(() => Promise.all([a, b, reader, monitor].map((session) => session.rows("rollback"))));

const OLD = "event_log_test_1";
const states = () => monitor.column<string>("select state from daybook.partitions order by range_from");

const endOfMonth = (before: () => Promise<unknown>) => letMonthEnd(monitor, before, () => a.rows("rollback"));

for (const first of ["append_event", "append", "append_streams", "append_batch"]) {
  t.test(`a partition is not sealed while a transaction with an ${first} is open`, async (t) => {
    const way = WAYS.find((one) => one.name === first);
    if (!way) throw new Error(first);
    let position = 0;
    await endOfMonth(async () => {
      await appendTo(b, "seal-b");
      await a.rows("begin");
      const { text, values } = way.call({ stream: "seal-a" });
      position = Number((await a.rows(text, values))[0]?.last_position);
    });
    t.same(await seal(monitor), []);
    const later = await appendTo(b, "seal-b");
    t.same(await seal(monitor), []);
    await a.rows("commit");
    t.same(await seal(monitor), [OLD]);
    t.same(await states(), ["sealed", "current"]);
    t.equal(
      await monitor.value("select last_position from daybook.event_partitions where partition_name = $1", [OLD]),
      position,
    );
    t.same((await readAll(reader)).slice(-2), [position, later]);
    t.same(await readAll(reader, position), [later]);
    t.same(await logViolations(monitor), []);
  });
}

t.test("a transaction that has appended before the end may go on, at whatever step the sealing is", async (t) => {
  for (let steps = 0; steps <= 4; steps += 1) {
    await endOfMonth(async () => {
      await a.rows("begin");
      await appendTo(a, "seal-a");
    });
    await seal(monitor, steps);
    await appendTo(a, "seal-a");
    await appendTo(a, `seal-new-${steps}`);
    await seal(monitor, steps);
    await a.rows("commit");
    t.same(await seal(monitor), [OLD], `${steps} steps`);
    t.same(await logViolations(monitor), []);
    t.equal((await readAll(reader)).length, 3);
  }
});

const twoPhase = (await monitor.value<string>("show max_prepared_transactions")) !== "0";
const skip = twoPhase ? false : "the server has max_prepared_transactions = 0";

t.test("a prepared transaction is waited for, also when its session has gone", { skip }, async (t) => {
  for (const steps of [0, 1, 2, 3]) {
    const session = await openSession(url);
    const append = () => session.rows("begin").then(() => appendTo(session, "seal-prepared"));
    await letMonthEnd(monitor, append, () => session.rows("rollback"));
    if (steps === 0) await session.rows(`prepare transaction '${name}'`);
    t.same(await seal(monitor, steps), []);
    if (steps > 0) await session.rows(`prepare transaction '${name}'`);
    await session.end();
    t.same(await seal(monitor), [], `prepared after ${steps} steps`);
    await monitor.rows(`commit prepared '${name}'`);
    t.same(await seal(monitor), [OLD]);
    t.same(await logViolations(monitor), []);
  }
});

t.test("when the clock goes back, nothing is recorded in what is sealed", async (t) => {
  // As if the clock had been at the end of next month until now, and the partitions before it sealed.
  const now = await month(monitor, 0);
  const end = await month(monitor, 2);
  for (const next of [[await month(monitor, 3)], []]) {
    await layOut(monitor, [now, end, ...next]);
    await monitor.rows("update daybook.event_partitions set last_position = 0 where range_from = $1", [now]);
    await setConstant(monitor, "_writable_from", end.toISOString());
    for (const { name: way, call } of WAYS) {
      const { text, values } = call({ stream: `back-${way}` });
      t.match(await a.rows(text, values), [{ stream_version: Number, first_position: Number }], way);
      await a.rows(text, values);
    }
    t.same(await logViolations(monitor), [], next.length > 0 ? "with a partition ahead" : "with none");
    t.same(
      await readAll(reader, 1),
      (await readAll(reader)).filter((position) => position > 1),
    );
  }
});

t.test("with every partition sealed, an append waits for whoever makes the next one", async (t) => {
  await forgetThisMonth(monitor, b, ["seal-a", "seal-b"]);
  t.same(await seal(monitor), [OLD]);
  await a.rows("begin");
  const made = await appendTo(a, "seal-a");
  const waiting = appendTo(b, "seal-b");
  t.equal(await endedOrBlocked(monitor, b, [a], waiting), "blocked", "there is no place left to record it");
  await a.rows("commit");
  const later = await waiting;
  t.same((await readAll(reader)).slice(-2), [made, later]);
  t.same(await logViolations(monitor), []);
});

t.test("nobody begins with the old bound unnoticed, while the first step of the sealing is under way", async (t) => {
  await forgetThisMonth(monitor, b, ["seal-a", "seal-b"]);
  await monitor.rows("begin");
  await seal(monitor, 1);
  // The sealing has not committed its bound, and keeps others from making the next partition.
  await a.rows("begin");
  const position = await appendTo(a, "seal-a");
  await monitor.rows("commit");
  t.same(await seal(monitor), []);
  await a.rows("commit");
  t.equal(
    await monitor.value("select tableoid::regclass::text from daybook.event_log where position = $1", [position]),
    `daybook.${OLD}`,
  );
  t.same(await seal(monitor), [OLD]);
  t.same((await readAll(reader)).at(-1), position);
  t.same(await logViolations(monitor), []);
});

t.test("a transaction with an old snapshot that makes a partition does not open a sealed one again", async (t) => {
  const from = () => monitor.value<Date>("select daybook._writable_from()");
  await endOfMonth(async () => {
    await appendTo(b, "seal-b");
    await a.rows("begin isolation level repeatable read");
    await a.rows("select * from daybook.settings");
  });
  await seal(monitor, 1);
  const sealed = await from();
  await a.rows("select daybook._make_partition($1)", [await month(monitor, 4)]);
  await a.rows("commit");
  t.same(await from(), sealed);
});
