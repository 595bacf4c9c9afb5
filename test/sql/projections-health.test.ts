import t from "tap";
import { testDatabase } from "../support/database.ts";
import { advance, advanceAll, append, create, createFunctions, status } from "./projecting.ts";
import { column, connect, inTransaction, value } from "./support.ts";

/*
 * What the view daybook.projections says of how far behind readers are: good below 5 seconds, warning up to 30, critical
 * beyond. Events are made to be so old: the log itself lets nobody change them.
 */

const database = await testDatabase(t);
const owner = await connect(t, database.url);
await createFunctions(owner);
// they may be of the month before
await owner.query(`
  select daybook._make_partition(date_trunc('month', now(), 'UTC') - interval '1 hour')
   where now() < date_trunc('month', now(), 'UTC') + interval '2 hours'`);
await append(owner, "old", 4);
await append(owner, "other", 2, "{}", "Other");

const last = async () => Number(await value(owner, "select last_value from daybook.positions"));

/** What the view says while the events behind a position are so many seconds old. */
function aged(seconds: number, after = 0) {
  return inTransaction(owner, async () => {
    await owner.query("alter table daybook.event_log disable trigger user");
    await owner.query(
      `update daybook.event_log set recorded_at = clock_timestamp() - make_interval(secs => $1) where position > $2`,
      [seconds, after],
    );
    const seen = await status(owner, "sums");
    await owner.query("rollback; begin");
    return seen;
  });
}

t.test("by the age of the first event that it follows and has not got", async (t) => {
  await create(owner, "sums", "sums", ", types => '{Added}'");
  for (const [seconds, health] of [
    [0, "good"],
    [3, "good"],
    [5.1, "warning"],
    [28, "warning"],
    [30.1, "critical"],
    [3600, "critical"],
  ] as const) {
    const seen = await aged(seconds);
    t.match(seen, { health, behind: 4, positions_behind: 6, needs_person: false }, `${seconds} s`);
    t.ok(Number(seen.lag_seconds) >= seconds && Number(seen.lag_seconds) < seconds + 60, `${seen.lag_seconds}`);
  }
  await advance(owner, "sums", 3);
  t.match(await aged(10, 3), { health: "warning", behind: 1 }, "one is left");
  await advance(owner, "sums");
  t.match(await aged(3600), { health: "good", behind: 0, lag_seconds: null }, "the others are nothing to it");
});

t.test("paused, what readers see grows old all the same; and while the next version is built", async (t) => {
  await owner.query("select daybook.pause_projection('sums', 'for a look')");
  await append(owner, "late", 1);
  t.match(await aged(31, (await last()) - 1), {
    state: "paused",
    state_reason: "for a look",
    health: "critical",
    needs_person: false,
  });
  await owner.query("select daybook.resume_projection('sums')");
  await owner.query("select daybook.rebuild_projection('sums')");
  t.match(await aged(6, (await last()) - 1), { state: "running", health: "warning", building_version: 2 });
  await advanceAll(owner, "sums");
  t.match(await aged(3600), { health: "good", building_version: 2 }, "the one that readers see counts");
});

t.test("rate, and how long the building takes still", async (t) => {
  const building = "building_progress, building_seconds_left";
  t.same(await column(owner, `select row(${building})::text from daybook.projections`), ["(0.00000,)"]);
  await advance(owner, "sums@2", 2);
  const { building_progress: progress, building_seconds_left: left } = await status(owner, "sums");
  t.ok(Number(progress) > 0 && Number(progress) < 1, String(progress));
  t.ok(Number(left) > 0, String(left));
  t.equal((await advanceAll(owner, "sums@2")).at(-1), "switched");
  const { rate, handled } = await status(owner, "sums");
  t.ok(Number(rate) > 0, String(rate));
  t.equal(handled, 5);
});

t.test("the event that failed, and why", async (t) => {
  await create(owner, "picky", "picky", ", start_from => 'now', max_attempts => 1");
  await append(owner, "p", 1, '{"fail": 1}');
  t.match(await advance(owner, "picky"), { outcome: "halted" });
  const { last_error: error, ...seen } = await status(owner, "picky");
  t.match(seen, { state: "halted", health: "critical", needs_person: true, attempts: 1 });
  t.match(error, {
    code: "P0042",
    message: "cannot take it",
    detail: "for good",
    position: await last(),
    event_id: await value(owner, "select event_id from daybook.events where position = $1", [await last()]),
  });
  t.match(String(seen.state_reason), /cannot take it/);
});
