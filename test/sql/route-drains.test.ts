import t from "tap";
import { append, consumerStore, makeDue } from "./drains.ts";
import { column, inTransaction, refused, row, rows, value } from "./support.ts";

t.test("a route is drained as a handler is: position, parked streams, dead letters", async (t) => {
  const { worker, admin, writer, owner } = await consumerStore(t);
  await admin.query("select daybook.create_route('r', 'queue', types => '{T}', max_attempts => 2)");
  const first = (await append(writer, ["a-1", "b-1", "a-1"]))[0] ?? 0;
  await append(writer, ["a-1"], "U");
  await append(writer, ["a-1"]);
  const last = first + 4;
  t.match(await rows(worker, "select kind, name, reason from daybook.due_consumers(0, $1, 0)", [last]), [
    { kind: "route", name: "r", reason: "new" },
  ]);
  const read = (from: number) =>
    column(worker, "select position from daybook.read_outbox_for('r', $1, $2, 100)", [from, last]);
  const [claimed] = await rows(worker, "select * from daybook.claim_consumer('route', 'r', 0, 1)");
  t.match(claimed, { position: 0, horizon: last, types: ["T"], has_parked: false });
  t.same(await read(0), [first, first + 1, first + 2, last]);

  // the first message is refused, the others of its stream are held, the rest is sent: in the transaction of the batch
  const failed = (position: number) => [position, '{"message": "503"}'];
  await inTransaction(worker, async () => {
    await worker.query("select daybook.claim_consumer('route', 'r', 0, 1)");
    t.equal(
      await value(
        worker,
        "select daybook.fail_message('route', 'r', 0, 0, $1, 'a-1', daybook.uuid_v7(), 'T', $2)",
        failed(first),
      ),
      "parked",
    );
    await worker.query("select daybook.finish_batch('route', 'r', 0, 0, $1)", [last]);
  });
  t.match(await row(worker, "select * from daybook.parked"), { kind: "route", stream_id: "a-1", position: first });
  await makeDue(owner);
  t.match(await rows(worker, "select reason from daybook.due_consumers($1, $1, $1)", [last]), [{ reason: "parked" }]);
  t.match(await rows(worker, "select * from daybook.claim_parked('route', 'r', 0, 1)"), [
    { stream_id: "a-1", position: first, through: last, attempts: 1 },
  ]);
  t.same(
    await column(
      worker,
      "select position from daybook.read_parked_messages(name => 'r', stream_id => 'a-1', from_position => $1, through => $2, max_count => 100, tenant_id => 'default')",
      [first, last],
    ),
    [first, first + 2, last],
  );
  await worker.query("select daybook.finish_parked('route', 'r', 'a-1', $1, $1)", [first]);
  t.match(await row(worker, "select * from daybook.parked"), { position: first + 2, attempts: 0 });
  for (const outcome of ["retry", "dead"]) {
    t.equal(
      await value(
        worker,
        "select daybook.fail_parked('route', 'r', 'a-1', $1, daybook.uuid_v7(), 'T', $2)",
        failed(first + 2),
      ),
      outcome,
    );
  }
  await admin.query("select daybook.discard_dead_letters('route', 'r', 'nobody wants it')");
  t.match(await row(worker, "select * from daybook.parked"), { position: last });
  await worker.query("select daybook.finish_parked('route', 'r', 'a-1', $1, $1)", [last]);
  t.same(await rows(worker, "select * from daybook.parked"), []);
});

t.test("a route whose messages are none of a stretch is moved over it; paused, resumed, reset by hand", async (t) => {
  const { worker, admin, writer } = await consumerStore(t);
  await admin.query("select daybook.create_route('r', 'queue', types => '{T}', shards => 2)");
  const [last] = await append(writer, ["a-1"], "U");
  t.same(await rows(worker, "select * from daybook.due_consumers(0, $1, 0)", [last]), []);
  t.equal(await value(worker, "select daybook.move_idle_consumers(0, $1)", [last]), last);
  t.same(await column(worker, "select position from daybook.cursors"), [last, last]);
  const [sent] = await append(writer, ["a-1"]);
  const shard = await value(worker, "select daybook._shard('a-1', 2)");
  t.match(
    await rows(worker, "select shard, shard_count, reason from daybook.due_consumers($1, $2, $1)", [last, sent]),
    [{ shard, shard_count: 2, reason: "new" }],
  );
  await admin.query("select daybook.pause_route('r', 'the broker moves')");
  t.same(await rows(worker, "select * from daybook.claim_consumer('route', 'r', $1, 2)", [shard]), []);
  await admin.query("select daybook.resume_route('r')");
  t.equal((await rows(worker, "select * from daybook.claim_consumer('route', 'r', $1, 2)", [shard])).length, 1);
  t.equal(await value(admin, "select daybook.reset_route('r', '0', 'send all again')"), 0);
  t.same(await column(admin, "select action from daybook.audit where action like '%\\_route' order by entry"), [
    "create_route",
    "pause_route",
    "resume_route",
    "reset_route",
  ]);
  t.match(await refused(t, "YD501", "a handler of that name", () => admin.query("select daybook.pause_handler('r')")), {
    kind: "handler",
  });
});
