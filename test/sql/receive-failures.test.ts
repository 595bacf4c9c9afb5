import { setTimeout as sleep } from "node:timers/promises";
import t from "tap";
import { withSessions } from "../concurrency/support/sessions.ts";
import { testDatabase } from "../support/database.ts";
import { ack, nack, places, queue, receive, receiver } from "./receivers.ts";
import { column, connect, row, rows } from "./support.ts";

const database = await testDatabase(t);
const db = await connect(t, database.url);
const a = await receiver(t, database);

t.test("the last try: parked and a dead letter; other streams flow; retried, it goes on in order", async (t) => {
  const put = await queue(database, "poison", ", max_attempts => 2");
  await put(1, 3);
  await put(2, 2);
  for (const attempts of [1, 2]) {
    const got = await receive(a, "poison");
    t.match(got[0], { stream_id: "poison-1", version: 1, attempts });
    t.equal(await nack(a, "poison", got[0]?.token), attempts === 2 ? "dead" : "retry");
    for (const m of got.slice(1)) await ack(a, "poison", m.token);
  }
  await put(1, 1);
  t.same(places(await receive(a, "poison")), [], "the rest of its stream waits");
  t.match(
    await rows(
      db,
      "select stream_id, position, attempts, retry_at, error from daybook.parked_streams where name = 'poison'",
    ),
    [{ stream_id: "poison-1", attempts: 2, retry_at: null, error: { message: "cannot", event_id: String } }],
  );
  t.match(
    await row(
      db,
      "select undelivered, parked_streams, dead_letters, needs_person from daybook.routes where name = 'poison'",
    ),
    {
      undelivered: 4,
      parked_streams: 1,
      dead_letters: 1,
      needs_person: true,
    },
  );
  await db.query("select daybook.retry_dead_letter(dead_letter) from daybook.dead_letters_log where name = 'poison'");
  const seen: string[] = [];
  for (let got = await receive(a, "poison"); got.length > 0; got = await receive(a, "poison")) {
    seen.push(...places(got));
    for (const m of got) await ack(a, "poison", m.token);
  }
  t.same(seen, ["1.1", "1.2", "1.3", "1.4"]);
  t.same(await column(db, "select state from daybook.dead_letters_log where name = 'poison'"), ["done"]);
  t.match(await row(db, "select undelivered, needs_person from daybook.routes where name = 'poison'"), {
    undelivered: 0,
    needs_person: false,
  });
});

t.test("leases that end use up tries too; a killed receiver's message goes to another", async (t) => {
  const put = await queue(database, "killed", ", max_attempts => 2");
  await put(1, 2);
  await put(2, 1);
  const pid = await withSessions(database.url, async (openMore) => {
    const doomed = await openMore();
    t.same(places(await receive(doomed, "killed", 1, "1 millisecond")), ["1.1"]);
    await doomed.rows("begin");
    await receive(doomed, "killed", 1, "1 minute");
    await db.query("select pg_terminate_backend($1)", [doomed.pid]);
    return doomed.pid;
  });
  await sleep(5);
  t.ok(pid);
  t.same(
    places(await receive(a, "killed", 10, "1 millisecond")),
    ["1.1", "2.1"],
    "what it took in an open transaction was never taken",
  );
  await sleep(5);
  t.same(places(await receive(a, "killed")), ["2.1"], "after max_attempts its stream is parked");
  t.match(await row(db, "select attempts, error, state from daybook.dead_letters_log where name = 'killed'"), {
    attempts: 2,
    state: "waiting",
    error: { code: "lease_expired", message: "not acknowledged in time by tester" },
  });
});

t.test("on_failure skip and halt", async (t) => {
  const skip = await queue(database, "skip", ", max_attempts => 1, on_failure => 'skip'");
  await skip(1, 2);
  t.equal(await nack(a, "skip", (await receive(a, "skip"))[0]?.token), "skipped");
  t.same(places(await receive(a, "skip")), ["1.2"]);
  t.same(await column(db, "select state from daybook.dead_letters_log where name = 'skip'"), ["skipped"]);

  const halt = await queue(database, "halt", ", max_attempts => 1, on_failure => 'halt'");
  await halt(1, 2);
  await halt(2, 1);
  t.equal(await nack(a, "halt", (await receive(a, "halt", 1))[0]?.token), "halted");
  t.same(await receive(a, "halt"), []);
  t.match(await row(db, "select state, needs_person from daybook.routes where name = 'halt'"), {
    state: "halted",
    needs_person: true,
  });
  await db.query("select daybook.resume_route('halt')");
  t.same(places(await receive(a, "halt")), ["1.1", "2.1"]);
});
