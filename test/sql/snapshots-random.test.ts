import t, { type Test } from "tap";
import { newSeed, type Random, random } from "../concurrency/support/random.ts";
import { testDatabase } from "../support/database.ts";
import { makeReducers } from "./folding.ts";
import { connect, type Row, row, rows, value } from "./support.ts";

/*
 * A fold with snapshots equals a fold without, whatever is appended, saved, taken, forgotten and changed in between. The
 * state is a chain of hashes, so that an event more, less or elsewhere in the order shows. Without snapshots is: the same
 * function, unregistered.
 */

const database = await testDatabase(t);
const db = await connect(t, database.url);
await makeReducers(db);

const streams = ["a-1", "a-2", "b-1"];
const tenants = ["one", "two"];
const functions = ["app.chain", "app.chain_2"];

interface World {
  readonly choose: Random;
  /** Version and function of the reducer as it is now. */
  reducer: { version: number; function: string };
}

const actions: Record<string, (world: World, stream: string, tenant: string) => Promise<unknown>> = {
  async append({ choose }, stream, tenant) {
    const events = Array.from({ length: choose.pick([1, 1, 3, 30, 130]) }, () => ({ type: choose.pick(["A", "B"]) }));
    return db.query("select from daybook.append($1, $2, tenant_id => $3)", [stream, JSON.stringify(events), tenant]);
  },
  async save({ choose, reducer }, stream, tenant) {
    const last = Number(await value(db, "select daybook.stream_version($1, $2)", [stream, tenant]));
    const version = choose.between(0, last);
    if (version === 0) return;
    return db.query(
      `select daybook.save_snapshot($1, 'chain', $2, $3, daybook.fold($1, $4, at_version => $3, tenant_id => $5), keep => $6, tenant_id => $5)`,
      [stream, reducer.version, version, reducer.function, tenant, choose.pick([1, 2, 5, null])],
    );
  },
  take: ({ choose }) => db.query("select from daybook.take_snapshots('chain', $1)", [choose.between(1, 4)]),
  async change(world) {
    const version = world.reducer.version + world.choose.between(1, 3);
    world.reducer = { version, function: world.choose.pick(functions) };
    return db.query("select daybook.create_reducer('chain', $1, $2, 10)", [world.reducer.function, version]);
  },
  async anew(world) {
    await db.query("select daybook.drop_reducer('chain')");
    world.reducer = { version: world.choose.between(1, 3), function: world.choose.pick(functions) };
    return db.query("select daybook.create_reducer('chain', $1, $2, 10)", [
      world.reducer.function,
      world.reducer.version,
    ]);
  },
  forget: ({ choose }, stream, tenant) =>
    choose.chance(0.5)
      ? db.query("select daybook.forget_snapshots('chain', $1, $2)", [stream, tenant])
      : db.query("select daybook._forget_outdated_snapshots()"),
};
/** How often each is chosen. */
const lots = ["append", "append", "append", "save", "save", "save", "save", "take", "take", "change", "anew", "forget"];

const load = (reducer: string) =>
  `select state, version, snapshot_version from daybook.load_state($1, '${reducer}', null, $2, $3, $4)`;

async function compare(t: Test, { choose, reducer }: World, stream: string, tenant: string): Promise<number> {
  const events = await rows(
    db,
    "select version, recorded_at::text as moment from daybook.read_stream($1, max_count => 100000, tenant_id => $2)",
    [stream, tenant],
  );
  const some = (): Row => (events.length === 0 ? { version: 0, moment: "now" } : choose.pick(events));
  const asked: [unknown, unknown][] = [
    [null, null],
    [some().version, null],
    [null, some().moment],
    [some().version, some().moment],
  ];
  let used = 0;
  for (const [version, moment] of asked) {
    const values = [stream, version, moment, tenant];
    const { snapshot_version: snapshot, ...found } = await row(db, load("chain"), values);
    const { snapshot_version: none, ...expected } = await row(db, load(reducer.function), values);
    t.equal(none, null);
    t.same(found, expected, `${tenant} ${stream} at ${version}, ${moment}, by version ${reducer.version}`);
    if (snapshot !== null) used += 1;
  }
  return used;
}

for (const seed of [1, Number(process.env.DAYBOOK_SEED ?? newSeed())]) {
  t.test(`seed ${seed}`, async (t) => {
    const choose = random(seed);
    const world: World = { choose, reducer: { version: 1, function: "app.chain" } };
    const names = streams.map((stream) => `${stream}-${seed}`);
    await db.query("select daybook.create_reducer('chain', 'app.chain', 1, 10)");
    let used = 0;
    for (let step = 0; step < 80; step += 1) {
      const stream = choose.pick(names);
      const tenant = choose.pick(tenants);
      await actions[choose.pick(lots)]?.(world, stream, tenant);
      used += await compare(t, world, choose.pick(names), choose.pick(tenants));
    }
    t.ok(used > 0, `snapshots were used ${used} times`);
    await db.query("select daybook.drop_reducer('chain')");
  });
}
