import t from "tap";
import { append, batch, claim, consumerStore, fail, handler, positions } from "./drains.ts";
import { column, refused, row, rows, value, writesNothing } from "./support.ts";

const audit = (db: Parameters<typeof rows>[0]) =>
  rows(db, "select action, subject, details from daybook.audit where action <> 'create_handler' order by entry");

t.test("made once; made again its definition is brought up to date, its position never", async (t) => {
  const { worker, admin, writer, owner } = await consumerStore(t);
  await append(writer, ["a-1", "a-1"]);
  t.equal(await value(worker, "select daybook.create_handler('h')"), true);
  t.match(await handler(admin, "h"), {
    name: "h",
    implementation: "h",
    tenant_id: null,
    state: "running",
    state_reason: null,
    types: null,
    categories: null,
    shards: 1,
    shards_wanted: null,
    position: 0,
    behind: 2,
    attempts: 0,
    retry_at: null,
    last_error: null,
    parked_streams: 0,
    dead_letters: 0,
    needs_person: false,
    on_failure: "park",
    max_attempts: 5,
  });
  await batch(worker, { name: "h", max: 1 });
  await writesNothing(t, owner, "the same again", async () =>
    t.equal(await value(worker, "select daybook.create_handler('h')"), false),
  );
  t.equal(
    await value(
      worker,
      "select daybook.create_handler('h', '{T}', '{a,b}', 'now', 2, 'halt', 7, '2 seconds', '1 hour')",
    ),
    false,
  );
  t.match(await handler(admin, "h"), {
    types: ["T"],
    categories: ["a", "b"],
    position: 1,
    shards: 1,
    shards_wanted: 2,
    on_failure: "halt",
    max_attempts: 7,
  });
  t.same(await column(admin, "select action from daybook.audit"), ["create_handler", "create_handler"]);
});

t.test("where it starts", async (t) => {
  const { worker, writer, owner } = await consumerStore(t);
  await append(writer, ["a-1", "a-1"]);
  const moment = String(await value(owner, "select (clock_timestamp() at time zone 'UTC')::text || 'Z'"));
  await append(writer, ["a-1"]);
  await owner.query("begin; select daybook.append_event('b-1', 'T')");
  await append(writer, ["a-1"]);
  const starts: [string, number][] = [
    ["start", 0],
    ["now", 3],
    ["2", 2],
    ["0", 0],
    ["5", 5],
    [moment, 2],
    ["2000-01-01T00:00:00Z", 0],
    ["2999-01-01T00:00:00+02", 3],
  ];
  for (const [from, position] of starts) {
    await worker.query("select daybook.create_handler($1, start_from => $1)", [from]);
    t.equal(await value(worker, "select daybook.handler_position($1)", [from]), position, from);
  }
  await owner.query("commit");
  t.same(
    positions(await batch(worker, { name: "now" })),
    [4, 5],
    "what commits from now on, though it was numbered before",
  );
});

t.test("pause and resume", async (t) => {
  const { worker, admin, writer } = await consumerStore(t);
  await append(writer, ["a-1"]);
  await worker.query("select daybook.create_handler('h')");
  await admin.query("select daybook.pause_handler('h', 'a look at the read table')");
  t.match(await handler(admin, "h"), {
    state: "paused",
    state_reason: "a look at the read table",
    needs_person: false,
  });
  t.same(await claim(worker, { name: "h" }), []);
  t.same(await rows(worker, "select * from daybook.due_consumers(0, 1)"), []);
  await worker.query("select daybook.create_handler('h')");
  t.match(await handler(admin, "h"), { state: "paused" }, "a worker that starts does not resume it");
  await admin.query("select daybook.resume_handler('h')");
  t.same(positions(await batch(worker, { name: "h" })), [1]);
  t.same(await audit(admin), [
    { action: "pause_handler", subject: "handler h", details: { reason: "a look at the read table" } },
    { action: "resume_handler", subject: "handler h", details: { was: "paused", because: "a look at the read table" } },
  ]);
});

t.test("advance, for a reason: forwards only", async (t) => {
  const { worker, admin, writer, owner } = await consumerStore(t);
  await append(writer, ["a-1", "a-1", "a-1"]);
  await worker.query("select daybook.create_handler('h', on_failure => 'halt', max_attempts => 1)");
  t.equal(
    await fail(worker, "h", 0, await row(worker, "select * from daybook.read_events_for('h', 0, 3, 1)")),
    "halted",
  );
  t.equal(await value(admin, "select daybook.advance_handler('h', 1, 'a test order')"), 1);
  t.match(await handler(admin, "h"), { state: "halted", attempts: 0, position: 1 });
  await admin.query("select daybook.resume_handler('h')");
  t.same(positions(await batch(worker, { name: "h" })), [2, 3]);
  t.equal(await value(admin, "select daybook.advance_handler('h', 2, 'behind it')"), 3, "never back");
  await writesNothing(t, owner, "refusals", async () => {
    await refused(t, "YD506", "no reason", () => admin.query("select daybook.advance_handler('h', 3, null)"));
    await refused(t, "YD403", "beyond the end", () => admin.query("select daybook.advance_handler('h', 4, 'x')"));
    for (const n of ["null", "-1"])
      await refused(t, "YD108", n, () => admin.query(`select daybook.advance_handler('h', ${n}, 'x')`));
    await refused(t, "YD501", "unknown", () => admin.query("select daybook.advance_handler('x', 1, 'x')"));
  });
  t.match(await audit(admin), [
    { action: "advance_handler", details: { position: 1, positions_before: [0], reason: "a test order" } },
    { action: "resume_handler" },
    { action: "advance_handler" },
  ]);
});

t.test("reset: all again; what was parked and dead is so no longer", async (t) => {
  const { worker, admin, writer } = await consumerStore(t);
  await append(writer, ["a-1", "b-1", "a-1"]);
  await worker.query("select daybook.create_handler('h', max_attempts => 1)");
  await fail(worker, "h", 0, await row(worker, "select * from daybook.read_events_for('h', 0, 3, 1)"));
  t.same(positions(await batch(worker, { name: "h" })), [2]);
  await worker.query("select daybook.halt_consumer('handler', 'h', 'x')");
  t.equal(await value(admin, "select daybook.reset_handler('h', reason => 'a new read table')"), 0);
  t.match(await handler(admin, "h"), { state: "running", parked_streams: 0, dead_letters: 0, position: 0 });
  t.match(await rows(admin, "select * from daybook.dead_letters"), [
    { state: "discarded", state_reason: "a new read table" },
  ]);
  t.same(positions(await batch(worker, { name: "h" })), [1, 2, 3]);
  t.equal(await value(admin, "select daybook.reset_handler('h', '2')"), 2);
  t.same(positions(await batch(worker, { name: "h" })), [3]);
  t.match(await audit(admin), [
    {
      action: "reset_handler",
      subject: "handler h",
      details: {
        start_from: "start",
        position: 0,
        positions_before: [3],
        streams_unparked: 1,
        was: "halted",
        reason: "a new read table",
      },
    },
    { action: "reset_handler", details: { start_from: "2", position: 2 } },
  ]);
});

t.test("replay: the same code a second time, under a name and a position of its own", async (t) => {
  const { worker, admin, writer } = await consumerStore(t);
  await append(writer, ["a-1", "b-1", "a-1"]);
  await worker.query("select daybook.create_handler('h', categories => '{a}', max_attempts => 7, shards => 2)");
  for (const shard of [0, 1]) await batch(worker, { name: "h", shard, shards: 2 });
  t.equal(await value(admin, "select daybook.replay_handler('h', '1', 'h-again')"), 1);
  t.match(await handler(admin, "h-again"), {
    implementation: "h",
    categories: ["a"],
    max_attempts: 7,
    shards: 2,
    position: 1,
  });
  t.match(await rows(worker, "select * from daybook.due_consumers(3, 3)"), [
    { name: "h-again", implementation: "h", shard: 0 },
    { name: "h-again", implementation: "h", shard: 1 },
  ]);
  const again = await Promise.all([batch(worker, { name: "h-again", shard: 0, shards: 2 })]);
  again.push(await batch(worker, { name: "h-again", shard: 1, shards: 2 }));
  t.same(again.flatMap(positions), [3]);
  t.equal(await value(worker, "select daybook.handler_position('h')"), 3);
  await worker.query("select daybook.create_handler('h', categories => '{a,b}', shards => 2)");
  t.match(
    await handler(admin, "h-again"),
    { categories: ["a", "b"], max_attempts: 5 },
    "its code has changed with the handler's",
  );
  for (const [as, code] of [
    ["h", "YD502"],
    ["h-again", "YD502"],
    ["", "YD502"],
  ] as const)
    await refused(t, code, `as ${as}`, () => admin.query("select daybook.replay_handler('h', 'start', $1)", [as]));
  await admin.query("select daybook.drop_handler('h-again', 'seen enough')");
  t.same(await column(admin, "select name from daybook.handlers"), ["h"]);
  t.match(await audit(admin), [
    { action: "replay_handler", subject: "handler h", details: { start_from: "1", replay_as: "h-again" } },
    { action: "drop_handler", subject: "handler h-again", details: { reason: "seen enough" } },
  ]);
});

t.test("dropped: nothing of it is left but its dead letters, as discarded, and what was done", async (t) => {
  const { worker, admin, writer, owner } = await consumerStore(t);
  await append(writer, ["a-1"]);
  await worker.query("select daybook.create_handler('h', max_attempts => 1)");
  await fail(worker, "h", 0, await row(worker, "select * from daybook.read_events_for('h', 0, 1, 1)"));
  await admin.query("select daybook.drop_handler('h')");
  t.same(
    await row(
      owner,
      "select (select count(*) from daybook.consumers) as consumers, (select count(*) from daybook.cursors) as cursors, (select count(*) from daybook.parked_streams) as parked",
    ),
    { consumers: 0, cursors: 0, parked: 0 },
  );
  t.match(await rows(admin, "select state from daybook.dead_letters"), [{ state: "discarded" }]);
  await worker.query("select daybook.create_handler('h')");
  t.same(positions(await batch(worker, { name: "h" })), [1], "made again, it begins again");
});

t.test("how far behind, in positions and in time; and which workers live", async (t) => {
  const { worker, admin, writer, owner } = await consumerStore(t);
  await worker.query("select daybook.create_handler('h')");
  t.match(await handler(admin, "h"), { behind: 0, lag_seconds: null });
  await append(writer, ["a-1", "a-1"]);
  await owner.query("select pg_sleep(0.05)");
  const { behind, lag_seconds } = await handler(admin, "h");
  t.equal(behind, 2);
  t.ok(Number(lag_seconds) >= 0.05 && Number(lag_seconds) < 60, String(lag_seconds));
  await owner.query(
    "insert into daybook.workers (worker, lock_key, host, pid) values ('one', -7, 'here', 1), ('two', 8, 'there', 2)",
  );
  await owner.query("select pg_advisory_lock(1145196367, -7)");
  t.same(await rows(admin, "select worker, is_alive from daybook.workers_alive order by worker"), [
    { worker: "one", is_alive: true },
    { worker: "two", is_alive: false },
  ]);
});
