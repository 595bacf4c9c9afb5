import { execFile } from "node:child_process";
import { promisify } from "node:util";
import t from "tap";
import { createMemoryStore, WrongExpectedVersionError } from "../../src/index.ts";

const run = promisify(execFile);
const event = { type: "Opened", data: { amount: 9007199254740993n } };

t.test("a store in memory, and others beside it", async (t) => {
  const start = performance.now();
  const [one, two] = await Promise.all([createMemoryStore(), createMemoryStore()]);
  const middle = performance.now();
  const three = await createMemoryStore({ tenantId: "three" });
  t.comment(`first two ${(middle - start).toFixed(0)} ms, third ${(performance.now() - middle).toFixed(0)} ms`);
  t.teardown(() => Promise.all([one.close(), two.close(), three.close()]));

  await one.append({ streamId: "account-1", events: event, expectedVersion: "none" });
  await t.rejects(
    one.append({ streamId: "account-1", events: event, expectedVersion: "none" }),
    WrongExpectedVersionError,
  );
  t.match(await one.readStream({ streamId: "account-1" }), [{ version: 1n, data: event.data }]);
  t.match(await one.readAll(), [{ streamId: "account-1" }]);

  t.equal(await two.streamVersion({ streamId: "account-1" }), 0n, "each has its own events");
  t.equal((await two.append({ streamId: "account-1", events: event })).firstPosition, 1n);

  await three.append({ streamId: "account-1", events: event });
  t.match(await three.readStream({ streamId: "account-1" }), [{ tenantId: "three" }]);
  const rows = await three.db.query("select stream_id, version from daybook.streams");
  t.same(rows, [{ stream_id: "account-1", version: 1n }]);
});

t.test("group commit works on its one connection", async (t) => {
  await using store = await createMemoryStore();
  const appender = store.createAppender();
  const results = await Promise.all(
    Array.from({ length: 50 }, (_, i) => appender.append({ streamId: `account-${i % 5}`, events: event })),
  );
  await appender.close();
  t.equal(new Set(results.map((result) => result.firstPosition)).size, 50);
  t.equal(await store.streamVersion({ streamId: "account-0" }), 10n);
});

t.test("what would wait for ever is refused", async (t) => {
  await using store = await createMemoryStore();
  await store.db.transaction(async (tx) => {
    await t.rejects(store.append({ streamId: "account-1", events: event }), { message: /one connection/ });
    await t.rejects(
      store.db.transaction(async () => undefined),
      { message: /one connection/ },
    );
    await tx.query("select daybook.append_event('account-1', 'Opened')");
  });
  t.equal(await store.streamVersion({ streamId: "account-1" }), 1n);
});

t.test("without PGlite it says what to install", async (t) => {
  const program = `
    import { registerHooks } from "node:module";
    registerHooks({
      resolve(specifier, context, next) {
        if (specifier !== "@electric-sql/pglite") return next(specifier, context);
        throw Object.assign(new Error("not found"), { code: "ERR_MODULE_NOT_FOUND" });
      },
    });
    const { createMemoryStore } = await import(${JSON.stringify(new URL("../../src/index.ts", import.meta.url).href)});
    await createMemoryStore().catch((error) => console.log(error.message));`;
  const { stdout } = await run(process.execPath, ["--input-type=module", "--eval", program]);
  t.match(stdout, /npm install --save-dev @electric-sql\/pglite/);
});
