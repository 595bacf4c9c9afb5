import t from "tap";
import {
  append,
  batch,
  claim,
  claimParked,
  consumerStore,
  fail,
  failParked,
  finish,
  finishParked,
  handler,
  makeDue,
  positions,
  unpark,
} from "./drains.ts";
import { inTransaction, row, rows, value, writesNothing } from "./support.ts";

const parked = (db: Parameters<typeof rows>[0]) =>
  rows(db, "select stream_id, position, attempts, needs_person from daybook.parked order by stream_id");

t.test("park: the stream waits, others flow; it resumes in order, and then flows again", async (t) => {
  const { worker, writer, owner } = await consumerStore(t);
  await append(writer, ["a-1", "b-1", "a-1", "b-1"]);
  await worker.query("select daybook.create_handler('h')");
  const first = await row(worker, "select * from daybook.read_events_for('h', 0, 4, 1)");
  t.equal(await fail(worker, "h", 0, first), "parked");
  t.match(await rows(worker, "select *, retry_at - now() between '0' and '1.2 seconds' as soon from daybook.parked"), [
    {
      kind: "handler",
      name: "h",
      tenant_id: "default",
      stream_id: "a-1",
      position: 1,
      attempts: 1,
      soon: true,
      error: { message: "no", position: 1, event_id: first.event_id },
    },
  ]);
  t.match(await handler(worker, "h"), { position: 0, parked_streams: 1, dead_letters: 0, needs_person: false });
  await makeDue(owner);
  t.same(
    await claimParked(worker, { name: "h" }),
    [],
    "the shard has not come as far yet: its batch would give it again",
  );
  t.match(await claim(worker, { name: "h" }), [{ has_parked: true }]);
  t.same(positions(await batch(worker, { name: "h" })), [2, 4]);
  await append(writer, ["a-1", "b-1"]);
  t.match(await claimParked(worker, { name: "h" }), [{ stream_id: "a-1", position: 1, through: 4, attempts: 1 }]);
  t.same(positions(await unpark(worker, { name: "h" }, "a-1")), [1, 3], "up to where the shard is");
  t.same(await parked(worker), []);
  t.same(positions(await batch(worker, { name: "h" })), [5, 6], "from there on it is one stream among others");
});

t.test(
  "a parked stream that has come up in part waits at its next event; due at once, with all its tries",
  async (t) => {
    const { worker, writer, owner } = await consumerStore(t);
    await append(writer, ["a-1", "a-1", "a-1"]);
    await append(writer, ["a-1"], "U");
    await append(writer, ["a-1", "b-1"]);
    await worker.query("select daybook.create_handler('h', types => '{T}')");
    const events = (await rows(worker, "select * from daybook.read_events_for('h', 0, 6)")) ?? [];
    t.same(positions(events), [1, 2, 3, 5, 6]);
    t.equal(await fail(worker, "h", 0, events[0] ?? {}), "parked");
    t.same(positions(await batch(worker, { name: "h" })), [6]);
    for (let n = 0; n < 2; n++) t.equal(await failParked(worker, "h", events[0] ?? {}), "retry");
    t.same(await parked(worker), [{ stream_id: "a-1", position: 1, attempts: 3, needs_person: false }]);
    await makeDue(owner);
    await inTransaction(worker, async () => {
      await claimParked(worker, { name: "h" });
      await finishParked(worker, "h", "a-1", 1, 2);
    });
    t.same(await parked(worker), [{ stream_id: "a-1", position: 3, attempts: 0, needs_person: false }]);
    t.match(await claimParked(worker, { name: "h" }), [{ position: 3, attempts: 0 }], "due at once");
    await writesNothing(t, owner, "of one that it is no longer at", async () =>
      t.equal(await failParked(worker, "h", events[0] ?? {}), "stale"),
    );
    await finishParked(worker, "h", "a-1", 3, 3);
    t.match(await parked(worker), [{ position: 5 }], "not at what it does not follow");
    await finishParked(worker, "h", "a-1", 5, 6);
    t.same(await parked(worker), []);
  },
);

t.test(
  "halt: it stays before the event, longer each time, and after its tries it stands still until a person has come",
  async (t) => {
    const { worker, writer, owner, admin } = await consumerStore(t);
    await append(writer, ["a-1", "b-1", "c-1"]);
    await worker.query(
      "select daybook.create_handler('h', on_failure => 'halt', max_attempts => 3, base_delay => '10 seconds', max_delay => '15 seconds')",
    );
    await finish(worker, { name: "h" }, 0, 1);
    const event = await row(worker, "select * from daybook.read_events_for('h', 1, 3, 1)");
    const delay = async () =>
      Number(await value(worker, "select extract(epoch from retry_at - now()) from daybook.handlers"));
    t.equal(await fail(worker, "h", 1, event), "retry");
    t.ok(((d) => d > 7 && d <= 12)(await delay()), "ten seconds, give or take a fifth");
    t.same(await claim(worker, { name: "h" }), [], "not due");
    t.same(await rows(worker, "select * from daybook.due_consumers(3, 3)"), []);
    t.equal(await value(worker, "select daybook.next_due() = retry_at from daybook.handlers"), true);
    await makeDue(owner);
    t.match(await claim(worker, { name: "h" }), [{ position: 1, attempts: 1 }]);
    t.match(await rows(worker, "select * from daybook.due_consumers(3, 3)"), [{ reason: "retry" }]);
    t.equal(await fail(worker, "h", 1, event, "still"), "retry");
    t.ok(((d) => d > 11 && d <= 18)(await delay()), "no longer than max_delay");
    t.equal(await fail(worker, "h", 1, event, "for the third time"), "halted");
    t.match(await handler(admin, "h"), {
      state: "halted",
      state_reason: "position 2 failed 3 times: for the third time",
      needs_person: true,
      position: 1,
      attempts: 3,
      last_error: { message: "for the third time", position: 2 },
    });
    await makeDue(owner);
    t.same(await claim(worker, { name: "h" }), []);
    t.same(await rows(worker, "select * from daybook.due_consumers(0, 3)"), []);
    t.equal(await value(worker, "select daybook.next_due()"), null);
    await admin.query("select daybook.resume_handler('h')");
    t.match(await claim(worker, { name: "h" }), [{ position: 1, attempts: 0 }], "at once, with all its tries");
    t.equal(await fail(worker, "h", 1, event), "retry");
    await makeDue(owner);
    t.same(positions(await batch(worker, { name: "h" })), [2, 3]);
    t.match(await handler(admin, "h"), {
      state: "running",
      attempts: 0,
      last_error: null,
      retry_at: null,
      needs_person: false,
    });
  },
);

t.test("skip: after its tries it is a dead letter, and the handler goes on", async (t) => {
  const { worker, writer, owner } = await consumerStore(t);
  await append(writer, ["a-1", "a-1"]);
  await worker.query("select daybook.create_handler('h', on_failure => 'skip', max_attempts => 2)");
  const event = await row(worker, "select * from daybook.read_events_for('h', 0, 2, 1)");
  t.equal(await fail(worker, "h", 0, event), "retry");
  t.equal(await fail(worker, "h", 0, event), "skipped");
  t.match(await rows(worker, "select * from daybook.dead_letters"), [
    {
      kind: "handler",
      name: "h",
      position: 1,
      event_id: event.event_id,
      type: "T",
      attempts: 2,
      state: "skipped",
      error: { message: "no" },
    },
  ]);
  t.match(await handler(worker, "h"), { dead_letters: 0, needs_person: false, position: 1, retry_at: null });
  t.same(positions(await batch(worker, { name: "h" })), [2]);
  await writesNothing(t, owner, "a failure of what is done", async () =>
    t.equal(await fail(worker, "h", 0, event), "stale"),
  );
  t.equal(await fail(worker, "none", 0, event), "stale");
});

t.test("the one message it stays before: another that fails there begins with one try", async (t) => {
  const { worker, writer } = await consumerStore(t);
  await append(writer, ["a-1", "b-1"]);
  await worker.query("select daybook.create_handler('h', on_failure => 'halt', max_attempts => 2)");
  const [first, second] = await rows(worker, "select * from daybook.read_events_for('h', 0, 2)");
  t.equal(await fail(worker, "h", 0, first ?? {}), "retry");
  await finish(worker, { name: "h" }, 0, 1);
  t.equal(await fail(worker, "h", 1, second ?? {}), "retry");
  t.match(await handler(worker, "h"), { attempts: 1, position: 1 });
});

t.test("whoever sends can be asked to wait longer than the backoff says", async (t) => {
  const { worker, writer } = await consumerStore(t);
  await append(writer, ["a-1", "a-1"]);
  await worker.query("select daybook.create_handler('h')");
  const event = await row(worker, "select * from daybook.read_events_for('h', 0, 2, 1)");
  const wait = async () =>
    Number(await value(worker, "select extract(epoch from retry_at - now()) from daybook.parked"));
  await value(
    worker,
    `select daybook.fail_message('handler', 'h', 0, 0, 1, 'a-1', $1, 'T', '{"message": "429", "retry_after": 90000}')`,
    [event.event_id],
  );
  t.ok(((s) => s > 85 && s <= 90)(await wait()));
  await finish(worker, { name: "h" }, 0, 2);
  await failParked(worker, "h", event, { message: "429", retry_after: 30000 });
  t.ok(((s) => s > 25 && s <= 30)(await wait()));
  for (const strange of [{ retry_after: "soon" }, { retry_after: -5 }, { retry_after: 1e30 }, "text", null, [1]]) {
    await failParked(worker, "h", event, strange as object);
    await worker.query("select 1");
    t.match(await value(worker, "select error from daybook.parked"), { position: 1 }, JSON.stringify(strange));
  }
});

t.test("the same stream name of two tenants: each is parked on its own", async (t) => {
  const { worker, writer, owner } = await consumerStore(t);
  await append(writer, ["a-1"]);
  await append(writer, ["a-1", "a-1"], "T", "other");
  await worker.query("select daybook.create_handler('h')");
  const [, event] = await rows(worker, "select * from daybook.read_events_for('h', 0, 3)");
  t.equal(await fail(worker, "h", 0, event ?? {}), "parked");
  t.same(positions(await batch(worker, { name: "h" })), [1]);
  await makeDue(owner);
  t.match(await claimParked(worker, { name: "h" }), [{ tenant_id: "other", position: 2 }]);
  t.same(
    positions(await rows(worker, "select * from daybook.read_parked_events('h', 'a-1', 2, 3, tenant_id => 'other')")),
    [2, 3],
  );
  await worker.query("select daybook.finish_parked('handler', 'h', 'a-1', 2, 3, 'other')");
  t.same(await parked(worker), []);
});
