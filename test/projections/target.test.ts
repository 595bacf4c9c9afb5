import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import t, { type Test } from "tap";
import {
  defineProjection,
  drainProjection,
  dropProjection,
  type Projection,
  projectionStatus,
  readAtLeast,
  rebuildProjection,
  registerProjection,
  resetProjection,
  UnknownProjectionError,
} from "../../src/index.ts";
import { eventually, work } from "../worker/support.ts";
import { tell } from "./support.ts";
import { checkpoint, journal, logged, two, written } from "./target-support.ts";

t.setTimeout(180_000);

t.test("rows, views and checkpoint are there; the store keeps the position and the controls", async (t) => {
  const { store, other, projection } = await two(t);
  await tell(store.db, "a-1", 3);
  t.equal(await registerProjection(store.db, projection), "created");
  t.match(await drainProjection(store.db, projection), { handled: 3, outcome: "dry" });
  t.same(await written(other), [1, 2, 3]);
  t.same(await checkpoint(other), [{ version: 1, position: 3, is_shown: true }]);
  t.match(await projectionStatus(store.db), [{ position: 3n, tables: [], behind: 0 }]);
  const position = await tell(store.db, "a-1");
  const reading = readAtLeast(store.db, { projection: "journal", position }, () => written(other));
  await drainProjection(store.db, projection);
  t.same(await reading, [1, 2, 3, 4]);
  const { rows } = await other.pool.query("select obj_description('daybook_journal_1.journal'::regclass) as said");
  t.same(rows, [{ said: "One row an event." }]);
});

const PROGRAM = fileURLToPath(new URL("./target-program.ts", import.meta.url));

async function startProgram(t: Test, args: readonly string[]): Promise<ChildProcess> {
  const child = fork(PROGRAM, args, { execPath: process.execPath, execArgv: [], stdio: "inherit" });
  t.teardown(() => child.kill("SIGKILL"));
  const [said] = await once(child, "message");
  if (said !== "there") throw new Error(`it was to be killed, and said ${said}`);
  return child;
}

t.test("killed between the two commits, and before the first: nothing is lost or done twice", async (t) => {
  const { store, other, projection } = await two(t);
  for (let n = 0; n < 40; n += 1) await tell(store.db, `a-${n % 3}`, 3);
  await registerProjection(store.db, projection);
  const places = ["between", "effect", "between", "between", "effect", "between"];
  for (const [n, place] of places.entries()) {
    // the first transaction of the first one makes the tables
    const at = place === "effect" ? "9" : "1";
    const child = await startProgram(t, [store.url, other.url, place, at]);
    if (place === "between" && n > 0) {
      const [there] = await checkpoint(other);
      t.ok(there?.position > Number((await projectionStatus(store.db))[0]?.position), "the store is behind");
    }
    child.kill("SIGKILL");
    await once(child, "exit");
    await eventually(async () => (await store.pool.query(open, [other.name, store.name])).rowCount === 0);
  }
  await drainProjection(store.db, projection, { budget: 30_000 });
  t.same(await written(other), await logged(store), "each once, in order");
});

/** Transactions that those who were killed have left, for a moment. */
const open = `
  select from pg_stat_activity a
   where a.datname = any (array[$1::text, $2::text]) and a.state like 'idle in transaction%' and a.pid <> pg_backend_pid()`;

t.test("whoever has lost the store's lock without knowing it does nothing twice", async (t) => {
  const { store, other } = await two(t);
  await tell(store.db, "a-1", 2);
  const gate = Promise.withResolvers<void>();
  const inside = Promise.withResolvers<void>();
  const slow = defineProjection(
    journal(other.db, async () => {
      inside.resolve();
      await gate.promise;
    }),
  );
  const quick = defineProjection(journal(other.db));
  await registerProjection(store.db, quick);
  const lost = drainProjection(store.db, slow).catch((error: unknown) => error);
  await inside.promise;
  const held = `
    from pg_locks l
   where l.relation = 'daybook.cursors'::regclass and l.mode = 'RowShareLock' and l.pid <> pg_backend_pid()
     and l.database = (select d.oid from pg_database d where d.datname = current_database())`;
  await store.pool.query(`select pg_terminate_backend(l.pid) ${held}`);
  await eventually(async () => (await store.pool.query(`select ${held}`)).rowCount === 0);
  const second = drainProjection(store.db, quick);
  const waits = `
    select from pg_locks l join pg_stat_activity a on a.pid = l.pid and a.datname = current_database()
     where not l.granted and l.locktype in ('transactionid', 'tuple')`;
  await eventually(async () => ((await other.pool.query(waits)).rowCount ?? 0) > 0);
  gate.resolve();
  t.match(await second, { handled: 0, outcome: "stale" }, "it finds that somebody has been there");
  await lost;
  await drainProjection(store.db, quick);
  t.same(await written(other), [1, 2]);
  t.match(await projectionStatus(store.db), [{ position: 2n }]);
});

t.test("rebuilt beside what readers see there; what rests on the view stays", async (t) => {
  const { store, other, projection } = await two(t);
  await tell(store.db, "a-1", 3);
  await registerProjection(store.db, projection);
  await drainProjection(store.db, projection);
  await other.pool.query("create view last as select max(position)::integer as last from daybook_projections.journal");
  t.equal(await rebuildProjection(store.db, { name: "journal" }), 2);
  t.match(await drainProjection(store.db, projection, { name: "journal@2", budget: 0, maxBatch: 1 }), { more: true });
  t.same(await written(other), [1, 2, 3], "readers see the version they had");
  const [, second] = await checkpoint(other);
  t.match(second, { version: 2, is_shown: false });
  t.match(await drainProjection(store.db, projection, { name: "journal@2" }), { outcome: "dry" });
  t.match(await projectionStatus(store.db), [{ version: 2, building: null }]);
  t.same(await checkpoint(other), [{ version: 2, position: 3, is_shown: true }], "the old one is gone");
  await tell(store.db, "a-1");
  await drainProjection(store.db, projection);
  t.same((await other.pool.query("select last from last")).rows, [{ last: 4 }]);

  const wider: Projection = defineProjection({
    ...journal(other.db),
    revision: 2,
    tables: {
      journal: "n bigint generated always as identity, position bigint, stream_id text, version bigint, note text",
    },
  });
  t.equal(await registerProjection(store.db, wider), "replacing");
  await work(t, store, { projections: [wider] });
  await eventually(async () => (await projectionStatus(store.db))[0]?.revision === 2);
  t.same(await written(other), [1, 2, 3, 4]);
  t.same((await other.pool.query("select note from daybook_projections.journal limit 1")).rows, [{ note: null }]);
});

t.test("a worker that has nothing to build shows nobody half a version", async (t) => {
  const { store, other, projection } = await two(t);
  await tell(store.db, "a-1", 3);
  await registerProjection(store.db, projection);
  await drainProjection(store.db, projection);
  await rebuildProjection(store.db, { name: "journal" });
  const gate = Promise.withResolvers<void>();
  const inside = Promise.withResolvers<void>();
  const slow = defineProjection(
    journal(other.db, async () => {
      inside.resolve();
      await gate.promise;
    }),
  );
  const first = drainProjection(store.db, slow, { name: "journal@2" });
  await inside.promise;
  t.match(await drainProjection(store.db, projection, { name: "journal@2" }), { handled: 0, outcome: "dry" });
  t.same(await written(other), [1, 2, 3]);
  gate.resolve();
  await first;
  t.match(await projectionStatus(store.db), [{ version: 2 }]);
});

t.test("reset, and dropped with all that is there", async (t) => {
  const { store, other, projection } = await two(t);
  await tell(store.db, "a-1", 3);
  await registerProjection(store.db, projection);
  await drainProjection(store.db, projection);
  await resetProjection(store.db, { name: "journal" });
  await drainProjection(store.db, projection);
  t.same(await written(other), [1, 2, 3], "emptied, and filled again");
  await dropProjection(store.db, { name: "journal", target: other.db });
  t.same(await checkpoint(other), []);
  t.same((await other.pool.query("select to_regclass('daybook_projections.journal') as it")).rows, [{ it: null }]);
  await t.rejects(dropProjection(store.db, { name: "journal" }), UnknownProjectionError);
});
