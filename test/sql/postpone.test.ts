import t from "tap";
import { append, claim, claimParked, consumerStore, finish } from "./drains.ts";
import { row, rows, value } from "./support.ts";

/* The other side takes nothing: a shard waits, or a parked stream, and no try is used up. */

const { admin, worker, writer } = await consumerStore(t);
const postpone = (name: string, at: number, error: object = { message: "away" }, shard = 0) =>
  value(worker, "select daybook.postpone('handler', $1, $2, $3::bigint, $4)", [name, shard, at, error]);
const cursor = (name: string) =>
  row(
    worker,
    `select position::int, attempts, postponed, failed_position, last_error ->> 'message' as message,
            extract(epoch from retry_at - clock_timestamp())::float as wait
       from daybook.cursors where name = $1 and shard = 0`,
    [name],
  );
const failMessage = (name: string, at: number, position: number, stream: string, error: object) =>
  value(
    worker,
    "select daybook.fail_message('handler', $1, 0, $2::bigint, $3::bigint, $4, gen_random_uuid(), 'T', $5)",
    [name, at, position, stream, error],
  );
const failParked = (name: string, position: number, stream: string, error: object) =>
  value(worker, "select daybook.fail_parked('handler', $1, $2, $3::bigint, gen_random_uuid(), 'T', $4)", [
    name,
    stream,
    position,
    error,
  ]);
const parked = (name: string) =>
  rows(
    worker,
    `select stream_id, attempts, postponed, extract(epoch from retry_at - clock_timestamp())::float as wait
       from daybook.parked where name = $1 order by stream_id`,
    [name],
  );
const make = (name: string, more = "") =>
  admin.query(
    `select daybook.create_handler($1, types => array[$1], base_delay => '1 hour', max_delay => '8 hours' ${more})`,
    [name],
  );
const hours = (wait: unknown) => Number(wait) / 3600;
const away = { message: "away", unavailable: true };

t.test("postpone: with growing delays; what moves ends it", async (t) => {
  await make("grows");
  const [first = 0, second = 0] = await append(writer, ["a-1", "a-2"], "grows");
  for (const [times, delay] of [1, 2, 4, 8, 8].entries()) {
    t.equal(await postpone("grows", 0), "retry");
    const { wait, ...facts } = (await cursor("grows")) ?? {};
    t.same(facts, { position: 0, attempts: 0, postponed: times + 1, failed_position: null, message: "away" });
    t.ok(hours(wait) > delay * 0.79 && hours(wait) < delay * 1.21, `${hours(wait)} of ${delay}`);
    t.same(await claim(worker, { name: "grows" }), [], "not due");
  }
  t.equal(await postpone("grows", 0, { message: "busy", retry_after: 10 * 3_600_000 }), "retry");
  t.ok(hours((await cursor("grows"))?.wait) > 9.9, "as long as the other side asked");
  await admin.query("select daybook.resume_handler('grows')");
  t.match(await claim(worker, { name: "grows" }), [{ position: 0, attempts: 0 }]);
  await postpone("grows", 0);
  await finish(worker, { name: "grows" }, 0, first);
  t.match(await cursor("grows"), { position: first, postponed: 0, wait: null, message: null });
  t.ok(second > first);
});

t.test("postpone: tries of a message that fails stay as they are", async (t) => {
  await make("halts", ", on_failure => 'halt'");
  const [position = 0] = await append(writer, ["b-1"], "halts");
  t.equal(await failMessage("halts", 0, position, "b-1", { message: "no" }), "retry");
  t.equal(await postpone("halts", 0), "retry");
  t.match(await cursor("halts"), { attempts: 1, postponed: 1, failed_position: position, message: "away" });
  t.equal(await failMessage("halts", 0, position, "b-1", away), "retry", "said of the message: the same");
  t.match(await cursor("halts"), { attempts: 1, postponed: 2 });
  t.equal(await failMessage("halts", 0, position, "b-1", { message: "no" }), "retry");
  t.match(await cursor("halts"), { attempts: 2, postponed: 0 });
});

t.test("postpone: stale where the shard is not there, nor the consumer", async (t) => {
  await make("moves");
  const [position = 0] = await append(writer, ["c-1"], "moves");
  await finish(worker, { name: "moves" }, 0, position);
  for (const [name, at, shard] of [
    ["moves", 0, 0],
    ["moves", position, 1],
    ["nobody", 0, 0],
  ] as const)
    t.equal(await postpone(name, at, undefined, shard), "stale");
  t.match(await cursor("moves"), { postponed: 0, wait: null });
});

t.test("parked: not by a failure of its own, so it is no dead letter; a failure counts", async (t) => {
  await make("parks", ", max_attempts => 1");
  const [first = 0, second = 0] = await append(writer, ["d-1", "d-2"], "parks");
  t.equal(await failMessage("parks", 0, first, "d-1", away), "parked");
  t.match(await parked("parks"), [{ stream_id: "d-1", attempts: 0, postponed: 1 }]);
  await finish(worker, { name: "parks" }, 0, second);
  for (const times of [2, 3, 4]) {
    t.equal(await failParked("parks", first, "d-1", away), "retry");
    t.match(await parked("parks"), [{ attempts: 0, postponed: times }]);
  }
  t.ok(hours((await parked("parks"))[0]?.wait) > 6, "with growing delays");
  t.equal(await value(worker, "select count(*) from daybook.dead_letters where name = 'parks'"), 0);
  t.equal(await failParked("parks", first, "d-1", { message: "no" }), "dead");
});

t.test("parked: one that is never taken lets the others go first", async (t) => {
  await make("fair");
  const positions = await append(writer, ["e-1", "e-2"], "fair");
  for (const [i, stream] of ["e-1", "e-2"].entries())
    await failMessage("fair", 0, positions[i] ?? 0, stream, { message: "no" });
  await finish(worker, { name: "fair" }, 0, positions[1]);
  for (const stream of ["e-1", "e-2"])
    await admin.query("select daybook.retry_parked('handler', 'fair', $1)", [stream]);
  t.equal((await claimParked(worker, { name: "fair" })).length, 2);
  t.equal(await failParked("fair", positions[0] ?? 0, "e-1", away), "retry");
  const [one, other] = await parked("fair");
  t.ok(hours(other?.wait) > 0.7, "it waits too, for the base delay");
  t.ok(Number(one?.wait) > Number(other?.wait), "and is the first then");
  t.same([one?.attempts, other?.attempts], [1, 1]);
});

t.test("postpone: parked streams wait with their shard", async (t) => {
  await make("all");
  const positions = await append(writer, ["f-1", "f-2"], "all");
  await failMessage("all", 0, positions[0] ?? 0, "f-1", { message: "no" });
  await admin.query("select daybook.retry_parked('handler', 'all', 'f-1')");
  t.equal(await postpone("all", 0), "retry");
  t.ok(hours((await parked("all"))[0]?.wait) > 0.7);
});
