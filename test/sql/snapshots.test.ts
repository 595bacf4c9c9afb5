import t from "tap";
import { testDatabase } from "../support/database.ts";
import { roleLogin } from "../support/roles.ts";
import { deposit, makeReducers } from "./folding.ts";
import { column, connect, inTransaction, refused, row, rows, value, writesNothing } from "./support.ts";

const database = await testDatabase(t);
const owner = await connect(t, database.url);
await makeReducers(owner);
await owner.query(`select daybook.create_reducer('account', 'app.account', initial => '{"balance": 0}')`);
const numbers = (count: number) => Array.from({ length: count }, (_, i) => i + 1);
const load = (stream: string, more = "") =>
  row(owner, `select * from daybook.load_state('${stream}', 'account'${more})`);
const versions = (stream: string) =>
  column(owner, "select version from daybook.snapshots where stream_id = $1 order by version", [stream]);
/** A state that no fold comes to tells whether a snapshot is used. */
const save = (stream: string, version: number, more = "") =>
  value(
    owner,
    `select daybook.save_snapshot('${stream}', 'account', 1, ${version}, '{"balance": ${-1000 * version}}'${more})`,
  );

t.test("a fold goes on from the latest snapshot at or before what is asked for", async (t) => {
  await deposit(owner, "from-1", numbers(10));
  for (const version of [4, 8]) t.equal(await save("from-1", version), true);
  t.match(await load("from-1"), { state: { balance: -8000 + 19 }, version: 10, snapshot_version: 8, events_folded: 2 });
  t.match(await load("from-1", ", at_version => 8"), {
    state: { balance: -8000 },
    snapshot_version: 8,
    events_folded: 0,
  });
  t.match(await load("from-1", ", at_version => 7"), { state: { balance: -4000 + 18 }, snapshot_version: 4 });
  t.match(await load("from-1", ", at_version => 3"), {
    state: { balance: 6 },
    snapshot_version: null,
    events_folded: 3,
  });
  t.match(await load("from-1", ", at_time => '2020-01-01'"), {
    state: { balance: 0 },
    version: 0,
    snapshot_version: null,
  });
  t.match(await load("from-1", ", at_time => now()"), { version: 10, snapshot_version: 8 });
});

t.test("not of another reducer, version, source, initial state, stream or tenant", async (t) => {
  await deposit(owner, "other-1", [1, 2]);
  await deposit(owner, "other-1", [5, 5], "two");
  await deposit(owner, "other-2", [3, 4]);
  await owner.query(`select daybook.create_reducer('other', 'app.account', 2, initial => '{"balance": 0}')`);
  for (const args of [
    "'other-1', 'other', 1, 2, '1'",
    "'other-1', 'other', 2, 2, '1', 'client'",
    "'other-2', 'other', 2, 2, '1'",
    "'other-1', 'other', 2, 2, '1', tenant_id => 'two'",
  ])
    t.equal(await value(owner, `select daybook.save_snapshot(${args})`), true, args);
  for (const args of ["'other-1', 'other', 3, 2, '1'", "'other-1', 'account', 2, 2, '1'"])
    t.equal(await value(owner, `select daybook.save_snapshot(${args})`), false, `${args}: a version to come`);
  t.match(await row(owner, "select * from daybook.load_state('other-1', 'other')"), {
    state: { balance: 3 },
    snapshot_version: null,
  });
  await save("other-1", 2);
  t.match(await load("other-1"), { snapshot_version: 2 });
  t.match(await load("other-1", `, '{"balance": 1}'`), { state: { balance: 4 }, snapshot_version: null }, "initial");
  t.match(await load("other-1", `, '{"balance": 0.00}'`), { snapshot_version: 2 }, "an equal initial state");
  t.match(await row(owner, "select * from daybook.load_state('other-1', 'app.account', '{\"balance\": 0}')"), {
    snapshot_version: null,
  });
  t.match(
    await row(owner, "select version, state from daybook.read_snapshot('other-1', 'other', 2)"),
    { version: 2, state: 1 },
    "a client's",
  );
  t.match(await row(owner, "select fold_to, version from daybook.read_snapshot('other-1', 'other', 9)"), {
    fold_to: 2,
    version: null,
  });
});

t.test("refused: beyond the stream, and what is no snapshot", async (t) => {
  await deposit(owner, "refused-1", [1]);
  await writesNothing(t, owner, "refused", async () => {
    t.match(await refused(t, "YD613", "beyond", () => save("refused-1", 2)), {
      version: 2,
      stream_version: 1,
      stream_id: "refused-1",
    });
    await refused(t, "YD613", "no such stream", () => save("nothing-1", 1));
    await refused(t, "YD610", "no such reducer", () =>
      owner.query("select daybook.save_snapshot('refused-1', 'nobody', 1, 1, '1')"),
    );
    for (const args of [
      "'refused-1', 'account', 1, 0, '1'",
      "'refused-1', 'account', 1, -1, '1'",
      "'refused-1', 'account', 1, null, '1'",
      "'refused-1', 'account', 0, 1, '1'",
      "'refused-1', 'account', 1, 1, null",
      "'refused-1', null, 1, 1, '1'",
      "'refused-1', '', 1, 1, '1', 'client'",
      "'refused-1', 'account', 1, 1, '1', 'me'",
      "'refused-1', 'account', 1, 1, '1', null",
      "'refused-1', 'account', 1, 1, '1', keep => 0",
    ])
      await refused(t, "YD108", args, () => owner.query(`select daybook.save_snapshot(${args})`));
  });
  t.equal(
    await value(owner, "select daybook.save_snapshot('refused-1', 'account', 1, 1, 'null')"),
    true,
    "any JSON value",
  );
});

t.test("the newest are kept", async (t) => {
  await deposit(owner, "kept-1", numbers(9));
  for (const version of [5, 3, 2, 7]) t.equal(await save("kept-1", version), true, `${version}`);
  t.equal(await save("kept-1", 2), false);
  t.same(await versions("kept-1"), [3, 5, 7], "3 by default; what is older than all of them is not saved");
  t.equal(await save("kept-1", 9, ", keep => 1"), true);
  t.same(await versions("kept-1"), [9]);
  t.equal(await save("kept-1", 8, ", keep => 1"), false, "an older one does not take the place of a newer");
  t.equal(await save("kept-1", 8, ", keep => 2"), true);
  t.same(await versions("kept-1"), [8, 9]);
  await owner.query(`select daybook.save_snapshot('kept-1', 'account', 1, 9, '{"balance": 45}')`);
  t.match(await load("kept-1"), { state: { balance: 45 } }, "the same version again: what was saved last");
});

t.test("who may: readers use them, writers save them, administrators forget them", async (t) => {
  await deposit(owner, "rights-1", [1, 2], "one");
  await deposit(owner, "rights-1", [1, 2], "two");
  await owner.query(
    `select daybook.create_reducer('rights', 'app.account', 1, 1, '{"balance": 0}', categories => '{rights}')`,
  );
  const writer = await connect(t, await roleLogin(database, { roles: ["daybook_writer"], tenants: ["one"] }));
  t.same(await rows(writer, "select tenant_id from daybook.take_snapshots('rights')"), [{ tenant_id: "one" }]);
  await owner.query("select from daybook.take_snapshots('rights')");
  const reader = await connect(t, await roleLogin(database, { roles: ["daybook_reader"], tenants: ["two"] }));
  t.match(await row(reader, "select * from daybook.load_state('rights-1', 'rights', tenant_id => 'two')"), {
    snapshot_version: 2,
  });
  t.same(await column(reader, "select distinct tenant_id from daybook.snapshots"), ["two"]);
  t.same(
    await value(reader, "select may_save from daybook.read_snapshot('rights-1', 'rights', 1, tenant_id => 'two')"),
    false,
  );
  t.same(
    await value(writer, "select may_save from daybook.read_snapshot('rights-1', 'rights', 1, tenant_id => 'one')"),
    true,
  );

  const admin = await connect(t, await roleLogin(database, { roles: ["daybook_admin"], tenants: ["one"] }));
  await inTransaction(admin, async () => {
    await admin.query("set local daybook.tenant = 'one'");
    t.equal(await value(admin, "select daybook.forget_snapshots('rights')"), 1, "of the tenants it sees");
  });
  await owner.query("select from daybook.take_snapshots('rights')");
  t.equal(await value(owner, "select daybook.forget_snapshots(stream_id => 'rights-1', tenant_id => 'two')"), 1);
  t.equal(await value(owner, "select daybook.forget_snapshots('rights', 'rights-1')"), 1);
  t.equal(await value(owner, "select daybook.forget_snapshots('rights')"), 0);
  t.ok(Number(await value(owner, "select daybook.forget_snapshots()")) > 0);
  t.same(await rows(owner, "select from daybook.snapshots_log"), []);
});

t.test("a snapshot goes with the transaction that took it", async (t) => {
  await inTransaction(owner, async () => {
    await deposit(owner, "rolled-1", [1, 2]);
    t.equal(await save("rolled-1", 2), true, "of events of its own");
    await owner.query("rollback");
    await owner.query("begin");
  });
  await deposit(owner, "rolled-1", [1, 2]);
  t.match(await load("rolled-1"), { version: 2, snapshot_version: null });
});
