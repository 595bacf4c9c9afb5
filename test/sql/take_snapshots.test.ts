import t from "tap";
import { testDatabase } from "../support/database.ts";
import { roleLogin } from "../support/roles.ts";
import { deposit, makeReducers } from "./folding.ts";
import { column, connect, refused, row, rows, value } from "./support.ts";

const database = await testDatabase(t);
const owner = await connect(t, database.url);
await makeReducers(owner);
await owner.query(`select daybook.create_reducer('account', 'app.account', initial => '{"balance": 0}')`);
const numbers = (count: number) => Array.from({ length: count }, (_, i) => i + 1);
const load = (stream: string, more = "") =>
  row(owner, `select * from daybook.load_state('${stream}', 'account'${more})`);
const versions = (stream: string) =>
  column(owner, "select version from daybook.snapshots where stream_id = $1 order by version", [stream]);

t.test("take_snapshots: of streams that are so many events behind, in every tenant", async (t) => {
  await owner.query(
    `select daybook.create_reducer('account', 'app.account', 1, 10, '{"balance": 0}', categories => '{due,early}')`,
  );
  for (const tenant of ["one", "two"]) await deposit(owner, "due-1", numbers(10), tenant);
  await deposit(owner, "due-1", numbers(25));
  await deposit(owner, "due-2", numbers(9));
  await deposit(owner, "undue-1", numbers(99));
  const take = () =>
    rows(owner, "select tenant_id, stream_id, version, error from daybook.take_snapshots('account') order by 1, 2");
  t.same(await take(), [
    { tenant_id: "default", stream_id: "due-1", version: 25, error: null },
    { tenant_id: "one", stream_id: "due-1", version: 10, error: null },
    { tenant_id: "two", stream_id: "due-1", version: 10, error: null },
  ]);
  t.same(await take(), [], "none is due twice");
  await deposit(owner, "due-2", [10]);
  await deposit(owner, "due-1", numbers(9));
  t.same(await take(), [{ tenant_id: "default", stream_id: "due-2", version: 10, error: null }]);
  t.match(await load("due-1"), { state: { balance: 325 + 45 }, version: 34, snapshot_version: 25, events_folded: 9 });
  await owner.query(
    `select daybook.create_reducer('account', 'app.account', 2, 10, '{"balance": 0}', categories => '{due}')`,
  );
  t.match(await load("due-1"), { snapshot_version: null }, "a new version begins anew");
  t.same((await take()).length, 4);
  await refused(t, "YD610", "nobody", () => owner.query("select daybook.take_snapshots('nobody')"));
  await refused(t, "YD108", "no streams", () => owner.query("select daybook.take_snapshots(max_streams => 0)"));
});

t.test("a stream that its reducer fails on holds up no other", async (t) => {
  await owner.query(
    `select daybook.create_reducer('failing', 'app.account', 1, 1, '{"balance": 0}', categories => '{failing}')`,
  );
  for (const i of [1, 2, 3, 4]) {
    if (i <= 2) await owner.query("select from daybook.append_event('failing-' || $1, 'Forgotten')", [String(i)]);
    else await deposit(owner, `failing-${i}`, [1]);
  }
  const taken = await rows(
    owner,
    "select stream_id, error ->> 'code' as code from daybook.take_snapshots('failing', 2) order by 1",
  );
  t.same(taken, [
    { stream_id: "failing-1", code: "YD612" },
    { stream_id: "failing-2", code: "YD612" },
    { stream_id: "failing-3", code: null },
    { stream_id: "failing-4", code: null },
  ]);
});

t.test("upkeep takes those of functions that belong to who may be trusted, and forgets outdated ones", async (t) => {
  const admin = await connect(t, await roleLogin(database, { roles: ["daybook_admin"], tenants: ["*"] }));
  await owner.query(`create schema theirs authorization "${admin.user}"; grant usage on schema theirs to public`);
  await admin.query(`
    create function theirs.account(state jsonb, event daybook.event) returns jsonb language sql immutable as 'select state';
    select daybook.create_reducer('theirs', 'theirs.account', snapshot_every => 1, categories => '{upkept}')`);
  t.same(await value(owner, "select by_upkeep from daybook.reducers where name = 'theirs'"), false);
  await deposit(owner, "upkept-1", [1]);
  await owner.query(
    `select daybook.create_reducer('upkept', 'app.account', 2, 1, '{"balance": 0}', categories => '{upkept}')`,
  );
  await owner.query("select daybook.save_snapshot('upkept-1', 'code', $1, 1, '1', 'client')", [1]);
  await owner.query("select daybook.save_snapshot('upkept-1', 'code', $1, 1, '1', 'client')", [2]);
  await owner.query("update daybook.snapshots_log set taken_at = taken_at - interval '8 days' where reducer = 'code'");
  await owner.query("select daybook.save_snapshot('upkept-1', 'upkept', 1, 1, '1')");
  const worker = await connect(t, await roleLogin(database, { roles: ["daybook_worker"], tenants: ["*"] }));
  const done = await rows(worker, "select task, result from daybook.upkeep() where task ~ 'snapshots' order by 1, 2");
  t.match(done, [
    { task: "snapshots failed", result: /^2 of failing, such as: reducer failing failed at version 1/ },
    { task: "snapshots forgotten" },
    { task: "snapshots taken", result: "1 of upkept" },
  ]);
  t.same(
    await rows(
      owner,
      "select reducer, reducer_version as v from daybook.snapshots where stream_id = 'upkept-1' order by 1, 2",
    ),
    [
      { reducer: "code", v: 2 },
      { reducer: "upkept", v: 2 },
    ],
  );
  t.same((await rows(admin, "select from daybook.take_snapshots()")).length >= 1, true, "its owner takes them");
  t.same(await versions("upkept-1"), [1, 1, 1]);
});
