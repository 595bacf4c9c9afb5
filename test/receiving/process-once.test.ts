import t from "tap";
import { processOnce } from "../../src/receiving/process-once.ts";
import { testDatabase } from "../support/database.ts";

t.test("effects of a message happen once", async (t) => {
  const { db } = await testDatabase(t);
  await db.query("create table effects (id text)");
  const count = async () => (await db.query("select from effects")).length;
  const once = (id: string, consumer = "one") =>
    processOnce(db, consumer, id, (tx) => tx.query("insert into effects values ($1)", [id]));

  t.equal(await once("a"), true);
  t.equal(await once("a"), false);
  t.equal(await count(), 1);
  t.equal(await once("a", "two"), true, "each consumer once");
  t.equal(await count(), 2);

  const failing = processOnce(db, "one", "b", async (tx) => {
    await tx.query("insert into effects values ('b')");
    throw new Error("no");
  });
  await t.rejects(failing, { message: "no" });
  t.equal(await count(), 2, "a failure leaves nothing");
  t.equal(await once("b"), true, "and can be done again");
});

t.test("in the caller's transaction", async (t) => {
  const { db } = await testDatabase(t);
  await t.rejects(
    db.transaction(async (tx) => {
      t.equal(await processOnce(tx, "one", "a", async () => undefined), true);
      t.equal(await processOnce(tx, "one", "a", async () => undefined), false);
      throw new Error("rolled back");
    }),
    { message: "rolled back" },
  );
  await db.transaction(async (tx) => {
    await processOnce(tx, "one", "a", async () => {
      throw new Error("swallowed");
    }).catch(() => undefined);
    t.equal(await processOnce(tx, "one", "a", async () => undefined), true, "a swallowed error left no note");
  });
});

t.test("two deliveries at once: the second waits, and finds it done", async (t) => {
  const { db } = await testDatabase(t);
  const begun = Promise.withResolvers<void>();
  const go = Promise.withResolvers<void>();
  const first = processOnce(db, "one", "a", async () => {
    begun.resolve();
    await go.promise;
  });
  await begun.promise;
  let ran = false;
  const second = processOnce(db, "one", "a", async () => {
    ran = true;
  });
  for (;;) {
    const waiting = await db.query(
      "select from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()",
    );
    if (waiting.length > 0) break;
  }
  go.resolve();
  t.strictSame([await first, await second, ran], [true, false, false]);
});
