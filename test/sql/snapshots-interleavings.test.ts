import t from "tap";
import { sessions } from "../concurrency/support/sessions.ts";
import { testDatabase } from "../support/database.ts";
import { deposit, makeReducers } from "./folding.ts";

/* Two who save, drop or fold at the same time, step by step. */

const { url, pool } = await testDatabase(t);
await makeReducers(pool);
await pool.query(`select daybook.create_reducer('account', 'app.account', 1, 10, '{"balance": 0}')`);
const { a, b, other } = await sessions(t, url, ["a", "b", "other"]);

/** A state that no fold comes to tells whose snapshot is used. */
const save = (stream: string, version: number, balance: number, keep = 3) =>
  `select daybook.save_snapshot('${stream}', 'account', 1, ${version}, '{"balance": ${balance}}', keep => ${keep})`;
const load = (stream: string) =>
  `select jsonb_build_array(version, snapshot_version, state -> 'balance') from daybook.load_state('${stream}', 'account')`;

t.test("an older snapshot that commits later does not take the place of a newer", async (t) => {
  for (const keep of [1, 3]) {
    const stream = `late-${keep}`;
    await deposit(pool, stream, Array(20).fill(1));
    await a.rows("begin");
    t.equal(await a.value(save(stream, 10, -10, keep)), true);
    t.equal(await b.value(save(stream, 20, -20, keep)), true, "nobody waits");
    await a.rows("commit");
    t.same(await other.value(load(stream)), [20, 20, -20]);
    t.equal(await a.value(save(stream, 15, -15, 1)), false);
    t.same(await other.value(load(stream)), [20, 20, -20]);
  }
});

t.test(
  "the same snapshot twice: the second does without rather than wait, and no two can wait for each other",
  async (t) => {
    for (const stream of ["same-1", "same-2"]) await deposit(pool, stream, Array(5).fill(1));
    await a.rows("begin");
    await b.rows("begin");
    t.equal(await a.value(save("same-1", 5, -1)), true);
    t.equal(await b.value(save("same-2", 5, -2)), true);
    const both = Promise.all([a.value(save("same-2", 5, -1)), b.value(save("same-1", 5, -2))]);
    t.same(await both, [false, false]);
    await a.rows("commit");
    await b.rows("commit");
    t.same(await other.value(load("same-1")), [5, 5, -1]);
    t.same(await other.value(load("same-2")), [5, 5, -2]);
  },
);

t.test("a snapshot of events that are not committed is seen by nobody else, and goes with them", async (t) => {
  await deposit(pool, "open-1", [1]);
  await a.rows("begin");
  await a.rows(`select from daybook.append_event('open-1', 'Deposited', '{"amount": 4}')`);
  t.equal(await a.value(save("open-1", 2, -5)), true);
  t.same(await a.value(load("open-1")), [2, 2, -5]);
  t.same(await other.value(load("open-1")), [1, null, 1]);
  t.equal(await b.outcome(save("open-1", 2, -6)), "YD613");
  await a.rows("rollback");
  t.same(await other.value(load("open-1")), [1, null, 1]);
});

t.test("dropping a reducer waits for who saves, and leaves nothing for the next of its name", async (t) => {
  await deposit(pool, "drop-1", [1, 2]);
  await a.rows("begin");
  t.equal(await a.value(save("drop-1", 2, -3)), true);
  const dropped = b.outcome("select daybook.drop_reducer('account', 'test')");
  await waits(b.pid);
  await a.rows("commit");
  t.equal(await dropped, "ok");
  t.same(await other.rows("select from daybook.snapshots_log where reducer = 'account'"), []);
  await other.rows(`select daybook.create_reducer('account', 'app.account', 1, 10, '{"balance": 0}')`);
  t.same(await other.value(load("drop-1")), [2, null, 3]);
});

t.test("whoever saves does without while the reducer is being dropped", async (t) => {
  await deposit(pool, "drop-2", [1, 2]);
  await b.rows("begin");
  await b.rows("select daybook.drop_reducer('account', 'test')");
  t.equal(await a.value(save("drop-2", 2, -3)), false);
  await b.rows("rollback");
});

t.test("a reducer that changes while its snapshots are taken: none is of the old one", async (t) => {
  await deposit(pool, "change-1", Array(10).fill(1));
  // its fold stops halfway, until the lock is free
  await pool.query(`
    create function app.slow(state jsonb, event daybook.event) returns jsonb language plpgsql as $$
    begin
      if event.version = 5 then perform pg_advisory_xact_lock_shared(4711); end if;
      return '"old"';
    end $$;
    select daybook.create_reducer('slow', 'app.slow', 1, 10, categories => '{change}')`);
  for (const change of [
    "select daybook.create_reducer('slow', 'app.chain', 2, 10, categories => '{change}')",
    "select daybook.drop_reducer('slow', 'test'), daybook.create_reducer('slow', 'app.slow', 2, 10, categories => '{change}')",
    "select daybook.drop_reducer('slow', 'test')",
  ]) {
    await b.rows("select daybook.create_reducer('slow', 'app.slow', 1, 10, categories => '{change}')");
    await b.rows("select pg_advisory_lock(4711)");
    const taken = a.rows("select version, error ->> 'code' as code from daybook.take_snapshots('slow')");
    await waits(a.pid);
    await b.rows(change);
    await b.rows("select pg_advisory_unlock(4711)");
    t.match(await taken, [{ version: null, code: /YD61[04]/ }], change);
    t.same(await other.rows("select from daybook.snapshots where stream_id = 'change-1' and reducer = 'slow'"), []);
    await b.rows("delete from daybook.reducer_definitions where name = 'slow'");
  }
});

/** Until a session waits for a lock. */
async function waits(pid: number): Promise<void> {
  const until = Date.now() + 30_000;
  for (;;) {
    const [found] = await other.rows("select from pg_stat_activity where pid = $1 and wait_event_type = 'Lock'", [pid]);
    if (found) return;
    if (Date.now() > until) throw new Error(`session ${pid} does not wait for a lock`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
