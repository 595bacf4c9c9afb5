import t from "tap";
import {
  AppenderClosedError,
  type AppendInput,
  append,
  createAppender,
  type NewEvent,
  readStream,
  streamVersion,
} from "../../src/index.ts";
import { testDatabase } from "../support/database.ts";
import { counting } from "./counting.ts";

const { db } = await testDatabase(t);
const event: NewEvent = { type: "Taken", data: { room: 4 } };
const numbered = (n: number): NewEvent => ({ type: "Numbered", data: { n } });
const numbers = async (streamId: string, tenantId?: string) =>
  (await readStream(db, { streamId, tenantId })).map((stored) => stored.data.n);
const range = (count: number) => Array.from({ length: count }, (_, i) => i);

t.test("a lone call goes at once, as one statement; calls of one moment share few", async (t) => {
  const counted = counting(db);
  await using appender = createAppender(counted);
  t.match(await appender.append({ streamId: "lone-1", events: event }), {
    streamVersion: 1n,
    duplicate: false,
  });
  t.equal(counted.asked, 1);
  const results = await Promise.all(range(64).map((i) => appender.append({ streamId: `few-${i}`, events: event })));
  t.ok(results.every((result) => result.streamVersion === 1n && !result.duplicate));
  t.equal(new Set(results.map((result) => result.firstPosition)).size, 64);
  t.equal(counted.asked, 3, "two batches of an equal share");
});

t.test("while batches are under way the next calls gather", async (t) => {
  const counted = counting(db);
  await using appender = createAppender(counted, { batchesInFlight: 1, maxBatch: 40 });
  const first = appender.append({ streamId: "gather-0", events: event });
  await Promise.resolve();
  const rest = range(100).map((i) => appender.append({ streamId: `gather-${i + 1}`, events: event }));
  await Promise.all([first, ...rest]);
  t.equal(counted.asked, 1 + 3);
});

t.test("each caller gets its own outcome", async (t) => {
  await using appender = createAppender(db);
  const first = await append(db, { streamId: "own-1", events: event, idempotencyKey: "k" });
  const calls = [
    appender.append({ streamId: "own-1", events: event, idempotencyKey: "k" }),
    appender.append({ streamId: "own-2", events: event, expectedVersion: 7 }),
    appender.append({ streamId: "own-3", events: { type: "", data: {} } }),
    appender.append({ streamId: "own-4", events: [event, event], expectedVersion: "none" }),
    appender.append({ streamId: "own-1", events: { type: "Other", data: {} }, idempotencyKey: "k" }),
    appender.append({ streamId: "own-5", events: event, expectedVersion: "exists" }),
  ];
  t.match(await Promise.allSettled(calls), [
    { value: { ...first, duplicate: true } },
    { reason: { name: "WrongExpectedVersionError", conflicts: [{ streamId: "own-2", expected: 7n, actual: 0n }] } },
    { reason: { name: "InvalidEventError" } },
    { value: { streamVersion: 2n, duplicate: false } },
    { reason: { name: "IdempotencyKeyReusedError" } },
    { reason: { name: "WrongExpectedVersionError" } },
  ]);
});

t.test("calls of a stream are written in the order they were made, whatever they are", async (t) => {
  const counted = counting(db);
  await using appender = createAppender(counted, { batchesInFlight: 4, maxBatch: 16 });
  const streams = 7;
  const kinds: readonly ((n: number) => Partial<AppendInput>)[] = [
    () => ({}),
    (n) => ({ idempotencyKey: `key-${n}` }),
    (n) => ({ expectedVersion: n }),
    () => ({ expectedVersion: "any" }),
    (n) => (n === 0 ? {} : { expectedVersion: "exists" }),
  ];
  const calls = range(60).flatMap((n) =>
    range(streams).map((s) =>
      appender.append({ streamId: `order-${s}`, events: numbered(n), ...kinds[(n + s) % kinds.length]?.(n) }),
    ),
  );
  await Promise.all(calls);
  for (const s of range(streams)) t.same(await numbers(`order-${s}`), range(60));
});

t.test("many calls of one stream that take any version go together", async (t) => {
  const counted = counting(db);
  await using appender = createAppender(counted);
  const results = await Promise.all(range(100).map((n) => appender.append({ streamId: "hot-1", events: numbered(n) })));
  t.same(
    results.map((result) => result.streamVersion),
    range(100).map((n) => BigInt(n + 1)),
  );
  t.same(await numbers("hot-1"), range(100));
  t.ok(counted.asked <= 3, `${counted.asked} statements`);
});

t.test("tenants share batches and keep their streams apart", async (t) => {
  const counted = counting(db);
  await using appender = createAppender(counted, { batchesInFlight: 1, tenantId: "bound" });
  const calls = range(30).map((n) =>
    appender.append({ streamId: "tenants-1", events: numbered(n), tenantId: ["a", "b", undefined][n % 3] }),
  );
  await Promise.all(calls);
  t.equal(counted.asked, 1);
  for (const [i, tenantId] of ["a", "b", "bound"].entries()) {
    t.same(
      await numbers("tenants-1", tenantId),
      range(10).map((n) => 3 * n + i),
    );
  }
  t.equal(await streamVersion(db, { streamId: "tenants-1" }), 0n);
});

t.test("a batch that fails at commit: those that are not to blame are written", async (t) => {
  await db.query(`create function refuse_at_commit() returns trigger language plpgsql as
    $$ begin raise exception 'refused at commit' using errcode = 'P0042'; end $$`);
  await db.query(`create constraint trigger refuse_at_commit after insert on daybook.event_log
    deferrable initially deferred for each row when (new.type = 'Refused') execute function refuse_at_commit()`);
  await using appender = createAppender(db);
  const calls = range(20).map((i) =>
    appender.append({ streamId: `commit-${i % 10}`, events: i === 7 ? { type: "Refused", data: {} } : numbered(i) }),
  );
  const outcomes = await Promise.allSettled(calls);
  t.same(
    outcomes.flatMap((outcome, i) => (outcome.status === "rejected" ? [[i, outcome.reason.code]] : [])),
    [[7, "P0042"]],
  );
  for (const i of range(10)) t.same(await numbers(`commit-${i}`), i === 7 ? [17] : [i, i + 10]);
});

t.test("a batch over the configured count is sent in smaller ones", async (t) => {
  await db.query("select daybook.configure('max_events', '10')");
  t.teardown(() => db.query("select daybook.configure('max_events', '10000')"));
  await using appender = createAppender(db, { batchesInFlight: 1 });
  await Promise.all(range(50).map((i) => appender.append({ streamId: `many-${i}`, events: event })));
  const counted = counting(db);
  await using again = createAppender(counted, { batchesInFlight: 1 });
  await Promise.all(range(50).map((i) => again.append({ streamId: `many-${i}`, events: event })));
  const asked = counted.asked;
  await Promise.all(range(50).map((i) => again.append({ streamId: `many-${i}`, events: event })));
  t.equal(counted.asked - asked, 5);
  t.equal(await streamVersion(db, { streamId: "many-49" }), 3n);
});

t.test("close flushes, and refuses calls that come after it", async (t) => {
  const appender = createAppender(db, { batchesInFlight: 1, maxBatch: 5 });
  const calls = range(40).map((i) => appender.append({ streamId: `close-${i}`, events: event }));
  let done = 0;
  for (const call of calls) void call.then(() => (done += 1));
  const closing = appender.close();
  await t.rejects(appender.append({ streamId: "close-0", events: event }), AppenderClosedError);
  await closing;
  t.equal(done, 40);
  await appender.close();
  await createAppender(db).close();
});
