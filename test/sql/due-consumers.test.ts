import t from "tap";
import { append, batch, consumerStore } from "./drains.ts";
import { column, row, rows, value } from "./support.ts";

t.test("which shards are due, and why", async (t) => {
  const { worker, writer, owner, admin } = await consumerStore(t);
  const due = async (after: number, horizon: number, caughtUp: number | null = null) =>
    (await rows(worker, "select * from daybook.due_consumers($1, $2, $3)", [after, horizon, caughtUp])).map(
      (d) => `${d.name} ${d.shard}/${d.shard_count} ${d.reason}`,
    );
  await append(writer, ["a-1", "b-1"]);
  await worker.query(`
    select daybook.create_handler('every', start_from => 'now'), daybook.create_handler('a', categories => '{a}', start_from => 'now'),
           daybook.create_handler('u', types => '{U}', start_from => 'now'), daybook.create_handler('new', types => '{None}'),
           daybook.create_handler('one', tenant_id => 'one', start_from => 'now'), daybook.create_handler('two', shards => 2, start_from => 'now')`);
  t.same(await due(2, 2), ["new 0/1 behind"]);
  await append(writer, ["a-1", "b-1"]);
  const [shard] = await column(
    owner,
    "select daybook._key_shard(stream_key, 2) from daybook.stream_heads where stream_id = 'a-1'",
  );
  t.same(await due(2, 3), ["a 0/1 new", "every 0/1 new", "new 0/1 behind", `two ${shard}/2 new`]);
  t.same(await due(3, 4, 2), ["every 0/1 new", "new 0/1 behind", ...(await twoFor("b-1"))]);
  t.same(await due(4, 4), [
    "a 0/1 behind",
    "every 0/1 behind",
    "new 0/1 behind",
    "one 0/1 behind",
    "two 0/2 behind",
    "two 1/2 behind",
    "u 0/1 behind",
  ]);
  await admin.query("select daybook.pause_handler('new'), daybook.pause_handler('two')");
  t.equal(await value(worker, "select daybook.move_idle_consumers(2, 4)"), 4);
  t.same(
    Object.fromEntries(
      (await rows(owner, "select name, max(position) as p from daybook.cursors where name <> 'two' group by name")).map(
        (r) => [r.name, r.p],
      ),
    ),
    { every: 2, a: 2, u: 4, new: 0, one: 4 },
    "those that follow nothing of it have moved",
  );
  t.same(await due(4, 4, 4), ["a 0/1 behind", "every 0/1 behind"]);
  for (const name of ["a", "every"]) await batch(worker, { name });
  t.same(await due(4, 4, 4), []);
  await append(
    writer,
    Array.from({ length: 30 }, () => "a-2"),
    "U",
    "one",
  );
  t.same(await due(4, 34), ["a 0/1 new", "every 0/1 new", "one 0/1 new", "u 0/1 new"]);
  await owner.query("begin; select from daybook.cursors where name = 'u' for update");
  await owner.query("update daybook.consumers set types = '{None}' where name = 'u'");
  t.equal(await value(worker, "select daybook.move_idle_consumers(4, 34)"), 34, "what somebody holds is left alone");
  await owner.query("rollback");
  t.equal(await value(worker, "select daybook.handler_position('u')"), 4);

  async function twoFor(stream: string) {
    const [n] = await column(
      owner,
      "select daybook._key_shard(stream_key, 2) from daybook.stream_heads where stream_id = $1",
      [stream],
    );
    return [`two ${n}/2 new`];
  }
});

t.test("a stretch too long to look at is due to all that are before its end", async (t) => {
  const { worker, writer } = await consumerStore(t);
  await worker.query("select daybook.create_handler('h', types => '{U}')");
  await writer.query(
    "select daybook.append('a-' || i, (select jsonb_agg(jsonb_build_object('type', 'T')) from generate_series(1, 5001))) from generate_series(1, 4) i",
  );
  t.match(await row(worker, "select * from daybook.due_consumers(0, 20004)"), { reason: "behind" });
  t.same(
    await rows(worker, "select * from daybook.due_consumers(10, 20004, 0)"),
    [],
    "nothing of it for whoever follows what is rare",
  );
  await writer.query(
    "select daybook.append('b-' || i, (select jsonb_agg(jsonb_build_object('type', 'T')) from generate_series(1, 10000))) from generate_series(1, 9) i",
  );
  t.equal(await value(worker, "select daybook.move_idle_consumers(0, 110004)"), 100_000);
  t.equal(await value(worker, "select daybook.move_idle_consumers(100000, 110004)"), 110_004);
  t.equal(await value(worker, "select daybook.handler_position('h')"), 110_004);
});
