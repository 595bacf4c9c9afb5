import t from "tap";
import { testDatabase } from "../support/database.ts";
import { roleLogin } from "../support/roles.ts";
import { deposit, makeReducers } from "./folding.ts";
import { column, connect, failure, inTransaction, refused, row, rows, value } from "./support.ts";

const database = await testDatabase(t);
const owner = await connect(t, database.url);
await makeReducers(owner);
await owner.query(`select daybook.create_reducer('account', 'app.account', initial => '{"balance": 0}')`);
await owner.query("select daybook.create_reducer('chain', 'app.chain')");
const numbers = (count: number) => Array.from({ length: count }, (_, i) => i + 1);

t.test("the state of a stream, as of now and of each version", async (t) => {
  await deposit(owner, "now-1", [5, 10]);
  await owner.query(`select from daybook.append_event('now-1', 'Withdrawn', '{"amount": 3}')`);
  const fold = "select daybook.fold('now-1', 'account', at_version => $1)";
  for (const [version, balance] of [0, 5, 15, 12].entries()) t.same(await value(owner, fold, [version]), { balance });
  t.same(await value(owner, fold, [null]), { balance: 12 });
  t.same(await rows(owner, "select * from daybook.load_state('now-1', 'account')"), [
    { state: { balance: 12 }, version: 3, snapshot_version: null, events_folded: 3 },
  ]);
});

t.test("as of a moment: what was recorded up to then", async (t) => {
  for (const amount of [1, 2, 3]) await deposit(owner, "moment-1", [amount, amount]);
  const moments = await rows(
    owner,
    "select recorded_at::text as moment, max(version) as version from daybook.read_stream('moment-1') group by 1 order by 2",
  );
  t.same(
    moments.map((m) => m.version),
    [2, 4, 6],
  );
  const at = "select version from daybook.load_state('moment-1', 'account', at_time => $1::timestamptz + $2::interval)";
  for (const [i, { moment, version }] of moments.entries()) {
    t.same(await value(owner, at, [moment, "0"]), version);
    t.same(await value(owner, at, [moment, "-1 microsecond"]), i * 2, "and not a microsecond before");
  }
  t.same(await value(owner, at, ["infinity", "0"]), 6);
  t.same(
    await value(
      owner,
      "select version from daybook.load_state('moment-1', 'account', at_version => 3, at_time => $1)",
      [moments[0]?.moment],
    ),
    2,
    "with a version too, what comes first",
  );
});

t.test("a stream that is not there has the initial state", async (t) => {
  t.same(await value(owner, "select daybook.fold('nothing-1', 'account')"), { balance: 0 });
  t.same(await value(owner, "select daybook.fold('nothing-1', 'app.account')"), {});
  t.same(await value(owner, "select daybook.fold('nothing-1', 'account', '[1]', at_time => now())"), [1]);
});

t.test("a function that is no registered reducer, and an initial state of one's own", async (t) => {
  await deposit(owner, "own-1", [5]);
  for (const name of ["app.account", "app.account(jsonb, daybook.event)", '"app"."account"'])
    t.same(
      await value(owner, "select daybook.fold('own-1', $1, '{\"balance\": 100}')", [name]),
      { balance: 105 },
      name,
    );
  t.same(await value(owner, "select daybook.fold('own-1', 'account', '{\"balance\": 1}')"), { balance: 6 });
});

t.test("long streams: every event, once, in order", async (t) => {
  for (const count of [99, 100, 101, 1234]) {
    await deposit(owner, `long-${count}`, numbers(count));
    const expected = await value(
      owner,
      `with recursive chain (version, link) as (
         select 0::bigint, null
         union all
         select c.version + 1, md5(concat(c.link, e.event_id)) from chain c join daybook.events e on e.stream_id = $1 and e.version = c.version + 1)
       select link from chain order by version desc limit 1`,
      [`long-${count}`],
    );
    t.same(await value(owner, "select daybook.fold($1, 'chain')", [`long-${count}`]), {
      events: count,
      link: expected,
    });
  }
});

t.test("a reducer that fails says at which event", async (t) => {
  await deposit(owner, "failing-1", numbers(250));
  await owner.query(`select from daybook.append_event('failing-1', 'Divided', '{"by": 0}')`);
  await deposit(owner, "failing-1", [1]);
  const detail = await refused(t, "YD612", "fails", () => owner.query("select daybook.fold('failing-1', 'account')"));
  t.match(detail, {
    reducer: "account",
    reducer_version: 1,
    tenant_id: "default",
    stream_id: "failing-1",
    version: 251,
    type: "Divided",
    event_id: String,
    cause: { code: "22012", message: "division by zero" },
  });
  t.same(await value(owner, "select daybook.fold('failing-1', 'account', at_version => 250) ->> 'balance'"), "31375");
  t.match(
    await refused(t, "YD612", "unregistered", () =>
      owner.query("select daybook.fold('failing-1', 'app.account', '{\"balance\": 0}')"),
    ),
    {
      reducer: "app.account",
      version: 251,
    },
  );

  await deposit(owner, "failing-2", [1]);
  await owner.query("select from daybook.append_event('failing-2', 'Forgotten')");
  await deposit(owner, "failing-2", [1]);
  t.match(
    await refused(t, "YD612", "gives null", () => owner.query("select daybook.fold('failing-2', 'account')")),
    { version: 2, type: "Forgotten", cause: null },
    "null is no state",
  );
});

t.test("what can be done again keeps its SQLSTATE", async (t) => {
  await owner.query(`create function app.busy(state jsonb, event daybook.event) returns jsonb language plpgsql as $$
    begin raise exception using errcode = event.data ->> 'code'; end $$`);
  for (const code of ["40001", "40P01", "57014", "53200"]) {
    await owner.query("select from daybook.append_event('busy-' || $1, 'T', jsonb_build_object('code', $1::text))", [
      code,
    ]);
    t.equal((await failure(() => owner.query(`select daybook.fold('busy-${code}', 'app.busy')`))).code, code);
  }
});

t.test("what is refused", async (t) => {
  await deposit(owner, "refused-1", [1]);
  const codes: Record<string, string> = {
    "fold('refused-1', 'nobody')": "YD610",
    "fold('refused-1', null)": "YD610",
    "fold('refused-1', 'app.nothing')": "YD611",
    "fold('refused-1', 'a.b.c')": "YD611",
    "fold('refused-1', 'app.')": "YD611",
    "fold('refused-1', 'account', at_version => 2)": "YD613",
    "fold('refused-1', 'account', at_version => -1)": "YD108",
    "fold('nothing-1', 'account', at_version => 1)": "YD613",
    "load_state('refused-1', 'account', tenant_id => '*')": "YD203",
    "read_snapshot('refused-1', 'account', 1, 7)": "YD613",
  };
  for (const [call, code] of Object.entries(codes))
    await refused(t, code, call, () => owner.query(`select daybook.${call}`));
  t.match(
    await refused(t, "YD613", "detail", () =>
      owner.query("select daybook.fold('refused-1', 'account', at_version => 2)"),
    ),
    {
      stream_id: "refused-1",
      version: 2,
      stream_version: 1,
    },
  );
});

t.test("events that are not there any more are not folded over", async (t) => {
  await deposit(owner, "hole-1", numbers(5));
  await inTransaction(owner, async () => {
    await owner.query("alter table daybook.event_log disable trigger user");
    await owner.query(
      "delete from daybook.event_log where stream_key = (select stream_key from daybook.stream_heads where stream_id = 'hole-1') and version <= 2",
    );
    t.match(await refused(t, "YD613", "a hole", () => owner.query("select daybook.fold('hole-1', 'account')")), {
      version: 1,
    });
    await owner.query("rollback");
    await owner.query("begin");
  });
});

t.test("it runs with the rights of the caller, and shows what the caller may see", async (t) => {
  await deposit(owner, "rights-1", [1], "one");
  await deposit(owner, "rights-1", [2], "two");
  await owner.query(`
    create function app.whoami(state jsonb, event daybook.event) returns jsonb language sql stable as 'select to_jsonb(current_user::text)';
    create function app.private(state jsonb, event daybook.event) returns jsonb language sql immutable as 'select state';
    revoke execute on function app.private from public;
    select daybook.create_reducer('private', 'app.private')`);
  const reader = await connect(t, await roleLogin(database, { roles: ["daybook_reader"], tenants: ["one"] }));
  t.same(await value(reader, "select daybook.fold('rights-1', 'account', tenant_id => 'one')"), { balance: 1 });
  t.equal(await value(reader, "select daybook.fold('rights-1', 'app.whoami', tenant_id => 'one')"), reader.user);
  await refused(t, "YD201", "another tenant", () =>
    reader.query("select daybook.fold('rights-1', 'account', tenant_id => 'two')"),
  );
  const denied = await refused(t, "YD612", "a function the caller may not execute", () =>
    reader.query("select daybook.fold('rights-1', 'private', tenant_id => 'one')"),
  );
  t.match(denied.cause, { code: "42501" });
  await inTransaction(owner, async () => {
    await owner.query("set local daybook.tenant = 'two'");
    t.same(
      await value(owner, "select daybook.fold('rights-1', 'account')"),
      { balance: 2 },
      "the narrowed session's tenant",
    );
  });
});

t.test("one statement, one state: of many streams at once", async (t) => {
  for (const i of [1, 2, 3]) await deposit(owner, `many-${i}`, numbers(i));
  t.same(
    await column(
      owner,
      "select (daybook.fold(s.stream_id, 'account') ->> 'balance')::integer from daybook.streams s where s.category = 'many' order by s.stream_id",
    ),
    [1, 3, 6],
  );
});

t.test("an older snapshot of the transaction folds to what it sees", async (t) => {
  await deposit(owner, "older-1", [1]);
  const other = await connect(t, database.url);
  await other.query("begin isolation level repeatable read");
  t.same(await value(other, "select daybook.fold('older-1', 'account')"), { balance: 1 });
  await deposit(owner, "older-1", numbers(9));
  await owner.query("select daybook.save_snapshot('older-1', 'account', 1, 10, '{\"balance\": 46}')");
  t.match(await row(other, "select * from daybook.load_state('older-1', 'account')"), {
    version: 1,
    state: { balance: 1 },
  });
  await other.query("commit");
  t.match(await row(other, "select * from daybook.load_state('older-1', 'account')"), {
    version: 10,
    snapshot_version: 10,
  });
});
