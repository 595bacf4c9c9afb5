import t, { type Test } from "tap";
import type { HandlerContext } from "../../src/index.ts";
import { defineHandler, drainHandler, registerHandler } from "../../src/index.ts";
import { append, effectNames, effectsTable, value, writeEffect } from "../handlers/support.ts";
import { testDatabase } from "../support/database.ts";

async function failureOf(t: Test, handle: (context: HandlerContext) => Promise<void> | void) {
  const database = await testDatabase(t);
  await effectsTable(database);
  const handler = defineHandler({
    name: "h",
    subscribesTo: ["*"],
    retry: { baseDelay: 60_000 },
    async handle(event, context) {
      await writeEffect(context.tx, "h", event);
      if (event.streamId === "bad-1") await handle(context);
    },
  });
  await registerHandler(database.db, handler);
  await append(database, "a-1", "bad-1", "b-1");
  await drainHandler(database.db, handler);
  const parked = await value<Record<string, unknown> | null>(database, "select error from daybook.parked_streams");
  return { parked, effects: await effectNames(database), database };
}

t.test("an error that was swallowed is told, and nothing of the event is committed", async (t) => {
  const { parked, effects } = await failureOf(t, async ({ tx }) => {
    await tx.query("select 1 / 0").catch(() => undefined);
  });
  t.match(parked, { code: "22012", message: /division by zero/ });
  t.same(effects, ["a-1@1", "b-1@1"]);
});

t.test("what comes after it is not what is told", async (t) => {
  const { parked } = await failureOf(t, async ({ tx }) => {
    await tx.query("select 1 / 0").catch(() => undefined);
    await tx.query("select 1");
  });
  t.match(parked, { code: "22012" });
});

t.test("swallowed within a savepoint, it is as if it had not been", async (t) => {
  const { parked, effects } = await failureOf(t, async ({ tx }) => {
    await tx.transaction((nested) => nested.query("select 1 / 0")).catch(() => undefined);
    await tx.query("savepoint mine");
    await tx.query("select 1 / 0").catch(() => tx.query("rollback to savepoint mine"));
  });
  t.notOk(parked);
  t.same(effects, ["a-1@1", "bad-1@1", "b-1@1"]);
});

t.test("a statement that nobody waited for fails its event, not the next one", async (t) => {
  const { parked, effects } = await failureOf(t, ({ tx }) => {
    tx.query("select pg_sleep(0.01), 1 / 0").catch(() => undefined);
  });
  t.match(parked, { message: /await all of tx/ });
  t.same(effects, ["a-1@1", "b-1@1"]);
});

t.test("one whose failure nobody hears of fails its event, and not the process", async (t) => {
  const unhandled: unknown[] = [];
  const listen = (error: unknown) => unhandled.push(error);
  process.on("unhandledRejection", listen);
  t.teardown(() => process.off("unhandledRejection", listen));
  const { parked, effects } = await failureOf(t, ({ tx }) => {
    void tx.query("select pg_sleep(0.01), 1 / 0");
  });
  t.match(parked, { message: /await all of tx/ });
  t.same(effects, ["a-1@1", "b-1@1"]);
  await new Promise(setImmediate);
  t.same(unhandled, []);
});

t.test("a call that is over has no transaction any more", async (t) => {
  const kept: HandlerContext["tx"][] = [];
  const { parked, effects } = await failureOf(t, ({ tx }) => {
    kept.push(tx);
  });
  t.notOk(parked);
  t.same(effects, ["a-1@1", "bad-1@1", "b-1@1"]);
  t.equal(kept.length, 1);
  for (const late of kept) {
    await t.rejects(late.query("select 1"), { message: /has ended/ });
    await t.rejects(() => late.transaction(async () => undefined), { message: /has ended/ });
  }
});
