import t, { type Test } from "tap";
import { defineHandler, registerHandler } from "../../src/index.ts";
import { newSeed, random } from "../concurrency/support/random.ts";
import { testDatabase } from "../support/database.ts";
import { append, drainAll, effectsTable, readEffects, value, writeEffect } from "./support.ts";

/** Each event's effect is there once, those of a stream in order. */
function check(t: Test, effects: Awaited<ReturnType<typeof readEffects>>, count: number): void {
  t.equal(effects.length, count, "as many effects as events");
  t.equal(new Set(effects.map(({ position }) => position)).size, count, "each once");
  const last = new Map<string, number>();
  for (const { stream, version, tenant } of effects) {
    const of = `${tenant}/${stream}`;
    if (version !== (last.get(of) ?? 0) + 1) t.fail(`${of}: version ${version} behind ${last.get(of) ?? 0}`);
    last.set(of, version);
  }
}

const seed = Number(process.env.DAYBOOK_SEED ?? newSeed());

t.test(`random failures and rollbacks, seed ${seed}`, async (t) => {
  for (const onFailure of ["park", "halt"] as const) {
    const database = await testDatabase(t);
    await effectsTable(database);
    const dice = random(seed);
    const streams = Array.from({ length: 12 }, (_, n) => `account-${n}${n % 3 === 0 ? "/acme" : ""}`);
    await append(database, ...Array.from({ length: 300 }, () => dice.pick(streams)));
    const handler = defineHandler({
      name: "random",
      subscribesTo: ["*"],
      onFailure,
      retry: { attempts: 1000, baseDelay: 1, maxDelay: 2 },
      maxBatch: 40,
      async handle(event, { tx, handler }) {
        if (dice.chance(0.05)) throw new Error("before the effect");
        await writeEffect(tx, handler, event);
        if (dice.chance(0.05)) throw new Error("behind the effect");
        // swallowed: the transaction is aborted, and half must not be committed
        if (dice.chance(0.05)) await tx.query("select 1 / 0").catch(() => undefined);
        if (dice.chance(0.05)) {
          const undone = tx.transaction(async (nested) => {
            await writeEffect(nested, handler, event);
            throw new Error("rolled back to the savepoint");
          });
          await undone.catch(() => undefined);
        }
        if (dice.chance(0.02)) await tx.query("select pg_terminate_backend(pg_backend_pid())").catch(() => undefined);
      },
    });
    await registerHandler(database.db, handler);
    for (let round = 0; round < 3000; round += 1) {
      await drainAll(database.db, handler, { maxBatchTime: dice.between(1, 50) }).catch((error: Error) => {
        if (!/terminat|connection/i.test(error.message)) throw error;
      });
      const isDone =
        (await value(database, "select count(*) = 0 from daybook.parked_streams")) &&
        (await value(database, "select min(position) = 300 from daybook.cursors"));
      if (isDone) break;
    }
    check(t, await readEffects(database), 300);
  }
});
