import t from "tap";
import { testDatabase } from "../support/database.ts";
import { deposit, makeReducers } from "./folding.ts";
import { column, connect, failure, inTransaction, refused, row, rows, value, writesNothing } from "./support.ts";

const database = await testDatabase(t);
const owner = await connect(t, database.url);
await makeReducers(owner);

t.test("made once, and shown", async (t) => {
  const create = `select daybook.create_reducer('account', 'app.account', 2, 100, '{"balance": 0}', categories => '{account}')`;
  t.equal(await value(owner, create), true);
  t.equal(await value(owner, create), false);
  t.match(await rows(owner, "select * from daybook.reducers"), [
    {
      name: "account",
      function: "app.account",
      version: 2,
      initial: { balance: 0 },
      snapshot_every: 100,
      keep_snapshots: 3,
      categories: ["account"],
      by_upkeep: true,
    },
  ]);
  t.same(await column(owner, "select action from daybook.audit where subject = 'reducer account'"), ["create_reducer"]);
});

t.test("the policy changes at any time, the logic with a new version only, and never backwards", async (t) => {
  await owner.query(`select daybook.create_reducer('account', 'app.account', 2, 50, '{"balance": 0}', 1)`);
  t.match(await row(owner, "select * from daybook.reducers"), {
    version: 2,
    snapshot_every: 50,
    keep_snapshots: 1,
    categories: null,
  });
  const differs = () => owner.query("select daybook.create_reducer('account', 'app.chain', 2)");
  t.match(await refused(t, "YD614", "other logic", differs), {
    reducer: "account",
    version: 2,
    differs: ["function", "initial"],
  });
  t.match(await failure(differs), {
    message: "reducer account is there in version 2 with another function and another initial state",
  });
  await owner.query("select daybook.create_reducer('account', 'app.chain', 3)");
  t.match(await row(owner, "select * from daybook.reducers"), {
    version: 3,
    function: "app.chain",
    initial: {},
    snapshot_every: null,
  });
  await writesNothing(t, owner, "an old process", async () => {
    t.equal(await value(owner, "select daybook.create_reducer('account', 'app.account', 2)"), false);
  });
});

t.test("what cannot be a reducer", async (t) => {
  await owner.query(`
    create function app.returns_text(state jsonb, event daybook.event) returns text language sql as 'select null::text';
    create function app.returns_many(state jsonb, event daybook.event) returns setof jsonb language sql as 'select state';
    create function app.other_way(event daybook.event, state jsonb) returns jsonb language sql as 'select state';
    create function pg_temp.passing(state jsonb, event daybook.event) returns jsonb language sql as 'select state'`);
  const temporary = await value(owner, "select nspname from pg_namespace where oid = pg_my_temp_schema()");
  for (const call of [
    "'r', 'app.nothing'",
    "'r', 'account'",
    "'r', null",
    "'r', 'app.returns_text'",
    "'r', 'app.returns_many'",
    "'r', 'app.other_way'",
    `'r', '${temporary}.passing'`,
    "null, 'app.account'",
    "'', 'app.account'",
    "'a.b', 'app.account'",
    "'r', 'app.account', 0",
    "'r', 'app.account', null",
    "'r', 'app.account', 1, 0",
    "'r', 'app.account', 1, null, null",
    "'r', 'app.account', 1, null, '{}', 0",
    "'r', 'app.account', 1, null, '{}', 1, '{}'",
  ]) {
    const detail = await refused(t, "YD611", call, () => owner.query(`select daybook.create_reducer(${call})`));
    t.ok(Array.isArray(detail.problems) && detail.problems.length > 0, `${call}: ${detail.problems}`);
  }
});

t.test("a function that has gone is said", async (t) => {
  await owner.query(`
    create function app.passing(state jsonb, event daybook.event) returns jsonb language sql as 'select state';
    select daybook.create_reducer('passing', 'app.passing');
    drop function app.passing`);
  await refused(t, "YD611", "fold", () => owner.query("select daybook.fold('a-1', 'passing')"));
});

t.test("dropped with its snapshots; the next of its name does not use what was left", async (t) => {
  await owner.query("select daybook.create_reducer('chain', 'app.chain', snapshot_every => 1)");
  await deposit(owner, "dropped-1", [1, 2]);
  t.match(await rows(owner, "select * from daybook.take_snapshots('chain')"), [
    { stream_id: "dropped-1", error: null },
  ]);
  await inTransaction(owner, async () => {
    await owner.query("select daybook.drop_reducer('chain', 'test')");
    t.same(await rows(owner, "select * from daybook.snapshots"), []);
    await refused(t, "YD610", "gone", async () => {
      await owner.query("savepoint s");
      await owner
        .query("select daybook.fold('dropped-1', 'chain')")
        .finally(() => owner.query("rollback to savepoint s"));
    });
    await owner.query("rollback");
    await owner.query("begin");
  });
  await refused(t, "YD610", "there is none", () => owner.query("select daybook.drop_reducer('nobody')"));

  // as left behind by an administrator who sees fewer tenants
  await owner.query("create temp table kept as select * from daybook.snapshots_log");
  await owner.query("select daybook.drop_reducer('chain')");
  await owner.query("insert into daybook.snapshots_log select * from kept");
  await owner.query("select daybook.create_reducer('chain', 'app.chain_2')");
  t.match(await row(owner, "select * from daybook.load_state('dropped-1', 'chain')"), {
    snapshot_version: null,
    events_folded: 2,
  });
});
