import pg from "pg";
import t, { type Test } from "tap";
import { fromPg } from "../../src/adapters/pg.ts";
import type { PublishInput } from "../../src/outbox/publish.ts";
import { createAsyncPublisher } from "../../src/transports/publish-async.ts";
import { testDatabase } from "../support/database.ts";
import { startProxy } from "../support/proxy.ts";

async function setUp(t: Test) {
  const database = await testDatabase(t);
  await database.db.query("select daybook.create_route('direct', 'function', topic => 'news', direct => true)");
  const ids = async () =>
    (
      await database.db.query<{ n: number }>(
        "select (data ->> 'n')::int as n from daybook.outbox_log order by position",
      )
    ).map(({ n }) => n);
  return { ...database, ids };
}

const message = (n: number, more: Partial<PublishInput> = {}): PublishInput => ({
  route: "direct",
  type: "Happened",
  data: { n },
  key: "k",
  ...more,
});

t.test("all are in the outbox, in order", async (t) => {
  const { db, ids } = await setUp(t);
  const publisher = createAsyncPublisher(db, { maxBatch: 30 });
  for (let n = 1; n <= 100; n += 1) t.equal(publisher.publishAsync(message(n)), true);
  t.equal(publisher.status().buffered, 100, "it returned before anything was sent");
  await publisher.flush();
  t.strictSame(
    await ids(),
    Array.from({ length: 100 }, (_, i) => i + 1),
  );
  await publisher.flush();
  await publisher.close();
  t.strictSame(publisher.status(), { buffered: 0, published: 100, overflowed: 0, failed: 0, lastError: null });
  t.equal(publisher.publishAsync(message(101)), false, "closed");
});

t.test("what does not fit is refused, counted and told", async (t) => {
  const { db, ids } = await setUp(t);
  const refused: PublishInput[] = [];
  await using publisher = createAsyncPublisher(db, { maxBuffered: 5, onOverflow: (one) => refused.push(one) });
  const taken = [1, 2, 3, 4, 5, 6, 7].map((n) => publisher.publishAsync(message(n)));
  t.strictSame(taken, [true, true, true, true, true, false, false]);
  t.match(publisher.status(), { overflowed: 2 });
  t.strictSame(refused, [message(6), message(7)]);
  await publisher.flush();
  t.equal(publisher.publishAsync(message(8)), true);
  await publisher.flush();
  t.strictSame(await ids(), [1, 2, 3, 4, 5, 8]);
});

t.test("what the database refuses fails alone; who is told may throw", async (t) => {
  const { db, ids } = await setUp(t);
  const failed: (readonly [Error, PublishInput])[] = [];
  const publisher = createAsyncPublisher(db, {
    onError: (error, one) => {
      failed.push([error, one]);
      throw new Error("mine");
    },
  });
  for (const one of [message(1), message(2, { route: "nowhere" }), message(3), message(4, { type: "" }), message(5)]) {
    publisher.publishAsync(one);
  }
  await publisher.close();
  t.strictSame(await ids(), [1, 3, 5]);
  t.match(failed, [
    [{ code: "YD501" }, { route: "nowhere" }],
    [Error, { type: "" }],
  ]);
  t.match(publisher.status(), { published: 3, failed: 2, buffered: 0 });
});

t.test("while the database is away they wait", async (t) => {
  const { url, ids } = await setUp(t);
  const proxy = await startProxy(t, url);
  const pool = new pg.Pool({ connectionString: proxy.url, connectionTimeoutMillis: 200 });
  pool.on("error", () => undefined);
  t.teardown(() => pool.end());
  const publisher = createAsyncPublisher(fromPg(pool));
  publisher.publishAsync(message(1));
  await publisher.flush();
  proxy.hold();
  publisher.publishAsync(message(2));
  publisher.publishAsync(message(3));
  await new Promise((done) => setTimeout(done, 300));
  proxy.interrupt();
  await new Promise((done) => setTimeout(done, 300));
  proxy.release();
  await publisher.flush();
  t.strictSame([...new Set(await ids())], [1, 2, 3], "nothing lost, in order");
  t.match(publisher.status(), { published: 3, failed: 0, lastError: Error });
});

t.test("closing ends, and says what is left", async (t) => {
  const pool = new pg.Pool({ connectionString: "postgres://127.0.0.1:1/none" });
  t.teardown(() => pool.end());
  const failed: number[] = [];
  const publisher = createAsyncPublisher(pool, { onError: () => failed.push(1) });
  for (let n = 1; n <= 3; n += 1) publisher.publishAsync(message(n));
  await publisher.close(100);
  t.equal(failed.length, 3);
  t.match(publisher.status(), { buffered: 0, failed: 3, published: 0 });
});
