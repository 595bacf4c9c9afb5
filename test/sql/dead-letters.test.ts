import t from "tap";
import {
  append,
  batch,
  claimParked,
  consumerStore,
  fail,
  failParked,
  finish,
  finishParked,
  handler,
  positions,
  unpark,
} from "./drains.ts";
import { inTransaction, type Queryable, refused, row, rows, value, writesNothing } from "./support.ts";

const letters = (db: Queryable) =>
  rows(db, "select dead_letter as n, stream_id, position, attempts, state, state_reason from daybook.dead_letters");
const audit = (db: Queryable) =>
  rows(db, "select role, action, subject, details from daybook.audit where action !~ '^create'");

/** Streams with three events each, of which the first has used up its two tries for the handler h. */
async function deadStreams(t: Parameters<typeof consumerStore>[0], streams: string[], tenant?: string) {
  const store = await consumerStore(t);
  const { worker, writer } = store;
  await append(writer, streams, "T", tenant);
  await append(writer, [...streams, ...streams], "U", tenant);
  const last = 3 * streams.length;
  await worker.query("select daybook.create_handler('h', max_attempts => 2)");
  const events = await rows(worker, "select * from daybook.read_events_for('h', 0, $1, $2)", [last, streams.length]);
  for (const event of events) await fail(worker, "h", 0, event);
  t.same(positions(await batch(worker, { name: "h" })), []);
  for (const event of events) t.equal(await failParked(worker, "h", event), "dead");
  return { ...store, events, last };
}

t.test("a dead letter waits for a person, its stream with it; tried again it goes on in order", async (t) => {
  const { worker, admin, writer, events } = await deadStreams(t, ["a-1"]);
  t.same(await letters(admin), [
    { n: 1, stream_id: "a-1", position: 1, attempts: 2, state: "waiting", state_reason: null },
  ]);
  t.match(await handler(admin, "h"), { needs_person: true, dead_letters: 1, parked_streams: 1 });
  t.match(await row(admin, "select * from daybook.parked"), { retry_at: null, needs_person: true });
  t.same(await claimParked(worker, { name: "h" }), []);
  t.equal(await value(worker, "select daybook.next_due()"), null);
  t.equal(await failParked(worker, "h", events[0] ?? {}), "stale", "somebody who was at it late");
  await append(writer, ["a-1", "b-1"]);
  t.same(positions(await batch(worker, { name: "h" })), [5], "later events of the stream wait behind it");

  await admin.query("select daybook.retry_dead_letter(1)");
  t.match(await letters(admin), [{ state: "retrying" }]);
  t.match(await handler(admin, "h"), { needs_person: false, dead_letters: 1 });
  t.equal(await failParked(worker, "h", events[0] ?? {}), "retry");
  t.equal(await failParked(worker, "h", events[0] ?? {}), "dead");
  t.match(await letters(admin), [{ n: 1, attempts: 4, state: "waiting" }], "it waits again, as the same dead letter");
  await admin.query("select daybook.retry_dead_letter(1)");
  t.same(positions(await unpark(worker, { name: "h" }, "a-1")), [1, 2, 3, 4]);
  t.match(await letters(admin), [{ state: "done" }]);
  t.match(await handler(admin, "h"), { needs_person: false, dead_letters: 0, parked_streams: 0 });
  t.same(
    (await audit(admin)).map((a) => [a.action, a.subject, a.role === null, a.details]),
    [1, 2].map(() => [
      "retry_dead_letter",
      "handler h",
      false,
      { dead_letter: 1, tenant_id: "default", stream_id: "a-1", position: 1 },
    ]),
  );
});

t.test("discarded, for a reason: the stream goes on behind it", async (t) => {
  const { worker, admin } = await deadStreams(t, ["a-1"]);
  await admin.query("select daybook.discard_dead_letter(1, 'a test order')");
  t.match(await letters(admin), [{ state: "discarded", state_reason: "a test order" }]);
  t.same(positions(await unpark(worker, { name: "h" }, "a-1")), [2, 3], "at once");
  t.match(await handler(admin, "h"), { parked_streams: 0 });
  const name = await value(admin, "select session_user");
  t.match(await audit(admin), [
    { role: name, action: "discard_dead_letter", details: { reason: "a test order", position: 1 } },
  ]);
});

t.test("discarded where nothing is behind it: the stream is parked no longer", async (t) => {
  const { worker, admin, writer } = await consumerStore(t);
  await append(writer, ["a-1", "b-1"]);
  await worker.query("select daybook.create_handler('h', max_attempts => 1)");
  const event = await row(worker, "select * from daybook.read_events_for('h', 0, 2, 1)");
  t.equal(await fail(worker, "h", 0, event), "parked");
  t.match(
    await letters(admin),
    [{ position: 1, attempts: 1, state: "waiting" }],
    "one try: a person is needed at once",
  );
  await batch(worker, { name: "h" });
  await admin.query("select daybook.discard_dead_letter(1, 'no')");
  t.same(await rows(admin, "select * from daybook.parked"), []);
});

t.test("discarded before the handler has come to it: it is not given again, and what follows is", async (t) => {
  const { worker, admin, writer } = await consumerStore(t);
  await append(writer, ["b-1", "a-1", "a-1", "b-1"]);
  await worker.query("select daybook.create_handler('h', max_attempts => 1)");
  const [, event] = await rows(worker, "select * from daybook.read_events_for('h', 0, 4)");
  await fail(worker, "h", 0, event ?? {});
  await admin.query("select daybook.discard_dead_letter(1, 'no')");
  t.match(await rows(admin, "select position, needs_person from daybook.parked"), [
    { position: 3, needs_person: false },
  ]);
  t.same(positions(await batch(worker, { name: "h", max: 1 })), [1]);
  t.same(await claimParked(worker, { name: "h" }), [], "the shard has not passed it yet");
  t.same(positions(await batch(worker, { name: "h" })), [4]);
  t.same(positions(await unpark(worker, { name: "h" }, "a-1")), [3]);
  t.same(await rows(admin, "select * from daybook.parked"), []);
});

t.test("many at once, all or some", async (t) => {
  const { worker, admin, writer } = await deadStreams(t, ["a-1", "b-1", "c-1", "d-1"]);
  t.equal(await value(admin, "select daybook.retry_dead_letters(kind => 'route')"), 0);
  t.equal(await value(admin, "select daybook.retry_dead_letters(name => 'none')"), 0);
  t.equal(await value(admin, "select daybook.retry_dead_letters(type => 'U')"), 0);
  t.equal(await value(admin, "select daybook.retry_dead_letters(stream_id => 'a-1')"), 1);
  t.equal(await value(admin, "select daybook.discard_dead_letters('handler', 'h', 'old', stream_id => 'b-1')"), 1);
  t.equal(await value(admin, "select daybook.discard_dead_letters('handler', 'h', 'old', type => 'U')"), 0);
  t.same(
    (await letters(admin)).map((l) => l.state),
    ["retrying", "discarded", "waiting", "waiting"],
  );
  t.equal(await value(admin, "select daybook.retry_dead_letters('handler', 'h', 'T')"), 3);
  for (const stream of ["a-1", "c-1", "d-1"]) t.equal((await unpark(worker, { name: "h" }, stream)).length, 3, stream);
  t.same(positions(await unpark(worker, { name: "h" }, "b-1")), [6, 10]);
  t.same(
    (await letters(admin)).map((l) => l.state),
    ["done", "discarded", "done", "done"],
  );
  t.equal(await value(admin, "select daybook.retry_dead_letters()"), 0, "nothing is open");
  t.match(await audit(admin), [
    { action: "retry_dead_letters", subject: "every kind", details: { stream_id: "a-1", count: 1 } },
    { action: "discard_dead_letters", subject: "handler h", details: { stream_id: "b-1", reason: "old", count: 1 } },
    { action: "retry_dead_letters", subject: "handler h", details: { type: "T", count: 3 } },
  ]);
  t.equal((await audit(admin)).length, 3, "what did nothing is not written down");
  await append(writer, ["a-1"]);
  t.equal((await batch(worker, { name: "h" }))?.length, 1);
});

t.test("what is not there, or not open, or without a reason", async (t) => {
  const { worker, admin, owner } = await deadStreams(t, ["a-1", "b-1"]);
  await admin.query("select daybook.discard_dead_letter(2, 'no')");
  await writesNothing(t, owner, "refusals", async () => {
    t.same(await refused(t, "YD504", "unknown", () => admin.query("select daybook.retry_dead_letter(77)")), {
      dead_letter: 77,
      state: null,
    });
    await refused(t, "YD504", "null", () => admin.query("select daybook.retry_dead_letter(null)"));
    t.match(await refused(t, "YD504", "discarded", () => admin.query("select daybook.retry_dead_letter(2)")), {
      state: "discarded",
    });
    await refused(t, "YD504", "twice", () => admin.query("select daybook.discard_dead_letter(2, 'no')"));
    await refused(t, "YD501", "no such handler", () =>
      admin.query("select daybook.discard_dead_letters('handler', 'x', 'no')"),
    );
    await refused(t, "YD501", "no such kind", () => admin.query("select daybook.discard_dead_letters('h', 'h', 'no')"));
    for (const reason of ["null", "''", "'  '", "e'\\n'"]) {
      await refused(t, "YD506", reason, () => admin.query(`select daybook.discard_dead_letter(1, ${reason})`));
      await refused(t, "YD506", reason, () =>
        admin.query(`select daybook.discard_dead_letters('handler', 'h', ${reason})`),
      );
    }
    for (const missing of ["failed_position => null", "stream_id => null", "event_id => null", "type => null"]) {
      const given = ["failed_position => 1", "stream_id => 'a-1'", "event_id => daybook.uuid_v7()", "type => 'T'"];
      const values = [...given.filter((g) => g.split(" ")[0] !== missing.split(" ")[0]), missing].join(", ");
      await refused(t, "YD108", missing, () =>
        worker.query(`select daybook.fail_message('handler', 'h', 0, at_position => 0, error => '{}', ${values})`),
      );
      await refused(t, "YD108", missing, () =>
        worker.query(`select daybook.fail_parked('handler', 'h', error => '{}', ${values})`),
      );
    }
  });
});

t.test("narrowed to a tenant, a person sees and settles that tenant's alone", async (t) => {
  const { admin } = await deadStreams(t, ["a-1"], "other");
  await inTransaction(admin, async () => {
    await admin.query("set local daybook.tenant = 'one'");
    t.same(await letters(admin), []);
    t.equal(await value(admin, "select daybook.retry_dead_letters()"), 0);
    t.equal(await value(admin, "select daybook.discard_dead_letters('handler', 'h', 'no')"), 0);
    await admin.query("savepoint s");
    await refused(t, "YD504", "one of another", () => admin.query("select daybook.retry_dead_letter(1)"));
    await admin.query("rollback to s");
    await admin.query("set local daybook.tenant = 'other'");
    t.equal(await value(admin, "select daybook.retry_dead_letters()"), 1);
  });
});

t.test("what was done up to a dead letter that is behind: it is done as well", async (t) => {
  const { worker, admin, last } = await deadStreams(t, ["a-1"]);
  await admin.query("select daybook.retry_dead_letter(1)");
  await inTransaction(worker, async () => {
    await claimParked(worker, { name: "h" });
    await finishParked(worker, "h", "a-1", 1, 1);
  });
  t.match(await letters(admin), [{ state: "done" }]);
  t.match(await row(admin, "select position from daybook.parked"), { position: 2 });
  await refused(t, "YD503", "finish what is done", () => finishParked(worker, "h", "a-1", 1, last));
  await finish(worker, { name: "h" }, last, last);
});
