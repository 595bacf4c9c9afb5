import t from "tap";
import { testDatabase } from "../support/database.ts";
import { onlyMonths, seal, states, writeIn } from "./months.ts";
import { column, connect } from "./support.ts";

t.test("sealing: past, sealing, sealed; and passed once every consumer is beyond it", async (t) => {
  const db = await connect(t, (await testDatabase(t)).url);
  await onlyMonths(db, [-2, -1, 0]);
  const last = await writeIn(db, -2, "old-1");
  t.same(await seal(db), ["past,past,current", "sealing,sealing,current", "sealed,sealed,current"]);
  t.match(await states(db), [
    { last_position: last, passed: true },
    { last_position: null, passed: true },
    { last_position: null, passed: false },
  ]);
  await db.query("insert into daybook.checkpoints (consumer, position) values ('slow', $1), ('fast', $2)", [
    last - 1,
    last,
  ]);
  t.same(
    (await states(db)).map((p) => p.passed),
    [false, true, false],
    "one consumer is not through yet",
  );
  await db.query("select daybook.advance_checkpoint('slow', $1)", [last]);
  t.same(
    (await states(db)).map((p) => p.passed),
    [true, true, false],
  );
  const passed = async () => (await states(db)).map((p) => p.passed);
  await db.query("select daybook.create_handler('h')");
  t.same(await passed(), [false, true, false], "a handler is not through yet");
  await db.query("select daybook.finish_batch('handler', 'h', 0, 0, $1)", [last]);
  t.same(await passed(), [true, true, false]);
  await db.query("select daybook.append_event('new-1', 'T')");
  for (const stream of ["new-1", "old-1"]) {
    await db.query(
      `select daybook.fail_message('handler', 'h', 0, $1::bigint, $1::bigint + 1, $2, daybook.uuid_v7(), 'T', '{"message": "no"}')`,
      [last, stream],
    );
  }
  t.same(await passed(), [true, true, false], "streams are parked at an event that lies behind");
  await db.query("update daybook.parked_streams set position = $1 where stream_id = 'old-1'", [last]);
  t.same(await passed(), [false, true, false], "a stream is parked at an event of it");
});

t.test("sealing waits for transactions that may still write into the partition", async (t) => {
  const { url } = await testDatabase(t);
  const [db, writer] = [await connect(t, url), await connect(t, url)];
  await onlyMonths(db, [-1, 0]);
  await writer.query("begin; select daybook.append_event('open-1', 'T')");
  for (let n = 0; n < 6; n++) await db.query("select from daybook.seal_partitions()");
  t.match(await states(db), [{ state: "sealing" }, { state: "current" }]);
  await writer.query("commit");
  t.same(await seal(db), ["sealing,current", "sealed,current"]);
});

t.test("nothing is ever recorded in what is sealed, also while somebody else makes the next partition", async (t) => {
  const { url } = await testDatabase(t);
  const [maker, other] = [await connect(t, url), await connect(t, url)];
  await onlyMonths(maker, [-1]);
  const last = await writeIn(maker, -1, "there-1");
  await seal(maker);
  t.match(await states(maker), [{ state: "sealed", last_position: last }]);
  await maker.query("begin; select daybook.append_event('maker-1', 'T')");
  const appends = other.query("select daybook.append_event('there-1', 'T'), daybook.append_event('new-1', 'T')");
  await Promise.race([appends, new Promise((resolve) => setTimeout(resolve, 100))]);
  await maker.query("commit");
  await appends;
  t.same(
    await column(other, "select stream_id from daybook.read_all($1)", [last]),
    ["maker-1", "there-1", "new-1"],
    "a reader behind the sealed one misses none",
  );
});
