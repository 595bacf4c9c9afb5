import t from "tap";
import { defineHandler, registerHandler } from "../../src/index.ts";
import { testDatabase } from "../support/database.ts";
import { append, drainAll, effectNames, effectsTable, value, writeEffect } from "./support.ts";

t.test("batches in order, up to their size", async (t) => {
  const database = await testDatabase(t);
  const sizes: number[] = [];
  const positions: bigint[] = [];
  const handler = defineHandler({
    name: "h",
    subscribesTo: ["*"],
    maxBatch: 10,
    handleBatch(events) {
      sizes.push(events.length);
      positions.push(...events.map(({ position }) => position));
    },
  });
  await registerHandler(database.db, handler);
  await append(database, ...Array.from({ length: 25 }, (_, n) => `a-${n % 3}`));
  t.same(await drainAll(database.db, handler), { handled: 25, more: false, outcome: "dry" });
  t.same(sizes, [10, 10, 5]);
  t.same(
    positions,
    Array.from({ length: 25 }, (_, n) => BigInt(n + 1)),
  );
});

t.test("the one to blame is found; the others are done, once", async (t) => {
  for (const poison of [1, 2, 17, 63, 64]) {
    const database = await testDatabase(t);
    await effectsTable(database);
    let calls = 0;
    const handler = defineHandler({
      name: "h",
      subscribesTo: ["*"],
      retry: { baseDelay: 60_000 },
      async handleBatch(events, { tx, handler }) {
        calls += 1;
        for (const event of events) await writeEffect(tx, handler, event);
        if (events.some(({ streamId }) => streamId === `a-${poison}`)) throw new Error("one of them");
      },
    });
    await registerHandler(database.db, handler);
    await append(database, ...Array.from({ length: 64 }, (_, n) => `a-${n + 1}`));
    await drainAll(database.db, handler);
    const others = Array.from({ length: 64 }, (_, n) => `a-${n + 1}@1`).filter((name) => name !== `a-${poison}@1`);
    t.same(await effectNames(database), others);
    t.equal(await value(database, "select string_agg(stream_id, ',') from daybook.parked_streams"), `a-${poison}`);
    t.ok(calls <= 25, `it took ${calls} calls`);
  }
});

t.test("what fails at the commit is found too", async (t) => {
  const database = await testDatabase(t);
  await database.pool.query(`
    create table accounts (id text primary key);
    create table entries (account text references accounts deferrable initially deferred);
    insert into accounts values ('a-1'), ('a-2'), ('a-4')`);
  for (const mode of ["handle", "handleBatch"] as const) {
    const common = { name: mode, subscribesTo: ["*"], retry: { baseDelay: 60_000 } };
    const handler =
      mode === "handle"
        ? defineHandler({
            ...common,
            async handle(event, { tx }) {
              await tx.query("insert into entries values ($1)", [event.streamId]);
            },
          })
        : defineHandler({
            ...common,
            async handleBatch(events, { tx }) {
              await tx.query("insert into entries select unnest($1::text[])", [events.map(({ streamId }) => streamId)]);
            },
          });
    await registerHandler(database.db, handler);
    if (mode === "handle") await append(database, "a-1", "a-2", "a-3", "a-4");
    await drainAll(database.db, handler);
    t.equal(await value(database, "select string_agg(account, ',') from entries"), "a-1,a-2,a-4");
    t.match(await value(database, "select error from daybook.parked_streams where name = $1", [mode]), {
      code: "23503",
    });
    await database.pool.query("truncate entries");
  }
});
