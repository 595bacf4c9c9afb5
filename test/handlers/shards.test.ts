import t from "tap";
import { type Db, defineHandler, drainHandler, registerHandler } from "../../src/index.ts";
import { newSeed, random } from "../concurrency/support/random.ts";
import { testDatabase } from "../support/database.ts";
import { effectsTable, readEffects, value, writeEffect } from "./support.ts";

const seed = Number(process.env.DAYBOOK_SEED ?? newSeed());

t.test(`1 to 4 to 2 shards while running, seed ${seed}`, async (t) => {
  const database = await testDatabase(t);
  await effectsTable(database);
  const dice = random(seed);
  const define = (shards: number) =>
    defineHandler({
      name: "sharded",
      subscribesTo: ["*"],
      shards,
      maxBatch: 7,
      retry: { attempts: 1000, baseDelay: 1, maxDelay: 2 },
      async handle(event, { tx, handler }) {
        await writeEffect(tx, handler, event);
        if (dice.chance(0.02)) throw new Error("now and then");
      },
    });
  const handler = define(1);
  await registerHandler(database.db, handler);

  const counts = new Set<number>();
  let appended = 0;
  let isAppending = true;
  const appending = (async () => {
    for (const shards of [1, 4, 2]) {
      await registerHandler(database.db, define(shards));
      for (let n = 0; n < 150; n += 1) {
        await database.pool.query("select daybook.append_event('account-' || $1::int, 'Tested')", [dice.below(20)]);
        appended += 1;
      }
      while (shards !== (await value(database, "select shard_count from daybook.consumers"))) {
        await new Promise((done) => setTimeout(done, 5));
      }
      counts.add(shards);
    }
    isAppending = false;
  })();

  // two processes, neither of which knows what the other does
  const run = async () => {
    for (;;) {
      const shardCount = await value<number>(database, "select shard_count from daybook.consumers");
      const shards = Array.from({ length: shardCount }, (_, shard) => shard);
      await Promise.all(
        shards.map((shard) => drainHandler(database.db, handler, { shard, shardCount, maxBatchTime: 5 })),
      );
      const isDone = await value(
        database,
        `select (select min(position) from daybook.cursors) = (select max(position) from daybook.event_log)
            and not exists (select from daybook.parked_streams)`,
      );
      if (!isAppending && isDone) return;
    }
  };
  await Promise.all([appending, run(), run()]);

  t.same([...counts], [1, 4, 2]);
  t.equal(await value(database, "select count(*)::int from daybook.cursors"), 2);
  const effects = await readEffects(database);
  t.equal(effects.length, appended);
  t.equal(new Set(effects.map(({ position }) => position)).size, appended, "nothing twice");
  const last = new Map<string, number>();
  for (const { stream, version } of effects) {
    if (version !== (last.get(stream) ?? 0) + 1) t.fail(`${stream}: ${version} behind ${last.get(stream) ?? 0}`);
    last.set(stream, version);
  }
});

t.test("a failure told after the number of shards has changed is told to nobody", async (t) => {
  for (const onFailure of ["park", "skip", "halt"] as const) {
    const database = await testDatabase(t);
    const define = (shards: number) =>
      defineHandler({
        name: "h",
        subscribesTo: ["*"],
        shards,
        onFailure,
        retry: { attempts: 1 },
        handle() {
          throw new Error("too late");
        },
      });
    await registerHandler(database.db, define(1));
    await database.pool.query("select daybook.append_event('a-' || n, 'Tested') from generate_series(1, 3) n");
    // between the rollback and the telling the shards change
    const slow: Db = {
      transaction: (work) => database.db.transaction(work),
      async query(text, values, options) {
        await registerHandler(database.db, define(4));
        await drainHandler(database.db, define(4));
        t.equal(await value(database, "select shard_count from daybook.consumers"), 4);
        return database.db.query(text, values, options);
      },
    };
    t.match(await drainHandler(slow, define(1)), { handled: 0, outcome: "stale" });
    t.equal(await value(database, "select count(*)::int from daybook.parked_streams"), 0);
    t.equal(await value(database, "select max(position)::int from daybook.cursors"), 0);
    t.equal(await value(database, "select state from daybook.consumers"), "running");
  }
});
