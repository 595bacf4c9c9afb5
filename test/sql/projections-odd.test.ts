import t from "tap";
import { testDatabase } from "../support/database.ts";
import { roleLogin } from "../support/roles.ts";
import { advance, status } from "./projecting.ts";
import { column, connect, failure, refused, rows, value, writesNothing } from "./support.ts";

/** What nobody should do to a projection, and what becomes of it. */

const database = await testDatabase(t);
const owner = await connect(t, database.url);
await owner.query(`
  create schema app;
  grant usage on schema app to daybook_projector;
  create domain app.tenant as text;
  create function app.odd(event daybook.event) returns void language plpgsql as $$ begin
    insert into odd values (event.tenant_id, event.position);
  end $$`);
const create = (columns: string, options = "") =>
  value(owner, `select daybook.create_projection('odd', 'app.odd', jsonb_build_object('odd', $1::text)${options})`, [
    columns,
  ]);
const drop = () => owner.query("select daybook.drop_projection('odd')");

t.test("the tenants of a view, whatever the type of its column; rows of none are for those who see all", async (t) => {
  const one = await connect(t, await roleLogin(database, { roles: ["daybook_reader"], tenants: ["one"] }));
  const all = await connect(t, await roleLogin(database, { roles: ["daybook_reader"], tenants: ["*"] }));
  await owner.query(
    `select daybook.append_event('a-1', 'A', tenant_id => 'one'), daybook.append_event('a-1', 'A', tenant_id => 'two')`,
  );
  for (const type of ["text", "varchar(20)", "char(20)", "name", "app.tenant", `text collate "C"`]) {
    await create(`tenant_id ${type}, p bigint`);
    await advance(owner, "odd");
    await owner.query("insert into daybook_odd_1.odd values (null, 0)");
    const tenants = "select trim(tenant_id::text) from daybook_projections.odd order by 1";
    t.same(await column(one, tenants), ["one"], type);
    t.same(await column(all, tenants), ["one", "two", null], type);
    await all.query("begin; set local daybook.tenant = 'two'");
    t.same(await column(all, tenants), ["two"], `${type}, narrowed`);
    await all.query("rollback");
    await drop();
  }
});

t.test("tables that a position would not keep up with are refused", async (t) => {
  for (const [columns, setup, problem] of [
    ["t text, p bigint", "alter table odd set unlogged", /table odd is unlogged/],
    ["t text, p bigint", "create unlogged table more (n int)", /table more is unlogged/],
    ["t text, p bigint unique deferrable initially deferred", "", /constraint odd_p_key is deferred/],
    ["t text, p bigint", "drop table odd", /table odd is gone/],
  ] as const)
    await writesNothing(t, owner, setup, async () => {
      const { problems } = await refused(t, "YD602", columns, () => create(columns, `, setup => '${setup}'`));
      t.match(String(problems), problem);
    });
  await refused(t, "YD602", "no schema", () => create("t text", ", schema => null"));
  await create("t text, p bigint unique deferrable", ", setup => 'create table more (n int)'");
  await drop();
});

t.test("its function is checked against its tables, also where the session checks none", async (t) => {
  await owner.query(`
    set check_function_bodies = off;
    create function app.elsewhere(event daybook.event) returns void language sql as 'insert into elsewhere values (1)';
    create function app.endless(event daybook.event) returns void language plpgsql as 'begin perform 1'`);
  const make = (name: string) => () =>
    value(owner, `select daybook.create_projection($1, 'app.' || $1, '{"t": "n int"}')`, [name]);
  const elsewhere = await refused(t, "YD602", "another table", make("elsewhere"));
  t.match(String(elsewhere.problems), /relation "elsewhere" does not exist/);
  const endless = await refused(t, "YD602", "no end", make("endless"));
  t.match(String(endless.problems), /syntax error|unexpected end/);
  t.equal(await value(owner, "show check_function_bodies"), "off");
  await owner.query("reset check_function_bodies");
});

t.test("an apply function that appends is refused; with the right to, it comes to an end", async (t) => {
  await owner.query(`create function app.echo(event daybook.event) returns void language plpgsql as $$ begin
    perform daybook.append_event('echo-1', 'Echoed');
  end $$`);
  await owner.query(
    `select daybook.create_projection('echo', 'app.echo', '{"echo": "n int"}', 'inline', start_from => 'now')`,
  );
  const append = () => value(owner, "select daybook.append_event('a-2', 'A')");
  t.match(await refused(t, "YD607", "without the right", append), { type: "A", cause: { code: "YD608" } });
  await owner.query("grant daybook_writer to daybook_projector");
  try {
    t.match(await refused(t, "YD607", "with it", append), { type: "Echoed", cause: { code: "54001" } });
    t.ok((await failure(append)).message.length < 200, "said once");
  } finally {
    await owner.query("revoke daybook_writer from daybook_projector");
  }
  t.equal(await value(owner, "select count(*) from daybook.events where category in ('echo') or stream_id = 'a-2'"), 0);
  await owner.query("select daybook.drop_projection('echo')");
});

t.test("a view in somebody else's hands: the switch says so, and is made once that is put right", async (t) => {
  await create("t text, p bigint");
  await advance(owner, "odd");
  await owner.query("select daybook.rebuild_projection('odd')");
  const again = async () => {
    await owner.query("update daybook.projection_versions set switch_at = null");
    return advance(owner, "odd@2");
  };
  await owner.query("alter view daybook_projections.odd owner to current_user");
  t.match(await again(), { outcome: "waiting" });
  t.match(await status(owner, "odd"), { version: 1, building_reason: /must be owner of view odd/ });
  await owner.query("drop view daybook_projections.odd; create table daybook_projections.odd (n int)");
  t.match(await again(), { outcome: "waiting" });
  t.match(await status(owner, "odd"), { version: 1, building_reason: /odd/ });
  await owner.query("drop table daybook_projections.odd");
  t.match(await again(), { outcome: "switched" });
  t.same(
    await rows(owner, "select p from daybook_projections.odd order by 1"),
    await rows(owner, "select position as p from daybook.events order by 1"),
  );
  await drop();
});

t.test("events that do not fit into memory together are taken fewer at a time", async (t) => {
  // for the real thing, a gigabyte of events is needed
  const whole = String(await value(owner, "select pg_get_functiondef('daybook._next_events'::regproc)"));
  const limited = whole.replace(
    /^begin$/m,
    "begin if max_count > 3 then raise exception 'too large' using errcode = '54000'; end if;",
  );
  t.not(limited, whole);
  await owner.query(limited);
  await owner.query("select daybook.append_event('many-' || i % 4, 'A') from generate_series(1, 10) i");
  const [events, kept] = [
    "select position as p from daybook.events where category = 'many' order by 1",
    "select p from daybook_projections.odd order by 1",
  ];
  await create("t text, p bigint", ", categories => '{many}'");
  const batches = [];
  for (let more = true; more; ) {
    const batch = await advance(owner, "odd", 6);
    batches.push(batch.handled);
    more = batch.more;
  }
  t.same(batches, [3, 3, 3, 1]);
  t.same(await rows(owner, kept), await rows(owner, events), "followed");
  await drop();
  await create("t text, p bigint", ", categories => '{many}', mode => 'inline'");
  t.same(await rows(owner, kept), await rows(owner, events), "caught up at once");
});
