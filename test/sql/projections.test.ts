import t from "tap";
import { testDatabase } from "../support/database.ts";
import { roleLogin } from "../support/roles.ts";
import { advance, advanceAll, append, create, createFunctions, foldedSums, readSums, status } from "./projecting.ts";
import { column, connect, failure, inTransaction, refused, rows, value, writesNothing } from "./support.ts";

const database = await testDatabase(t);
const owner = await connect(t, database.url);
const login = async (role: string, tenants = ["*"]) =>
  connect(t, await roleLogin(database, { roles: [role], tenants }));
const admin = await login("daybook_admin");
const worker = await login("daybook_worker");
const reader = await login("daybook_reader");
await createFunctions(owner);
await append(owner, "before", 25);

t.test("an administrator makes it, a worker advances it, a reader reads its view", async (t) => {
  t.equal(await create(admin, "sums", "sums"), true);
  t.same(await readSums(reader), []);
  t.same(await advance(worker, "sums", 10), { handled: 10, position: 10, more: true, outcome: "more" });
  t.same(await advance(worker, "sums", 10), { handled: 10, position: 20, more: true, outcome: "more" });
  t.same(await advance(worker, "sums", 10), { handled: 5, position: 25, more: false, outcome: "done" });
  t.same(await advance(worker, "sums"), { handled: 0, position: 25, more: false, outcome: "done" });
  t.same(await readSums(reader), await foldedSums(owner));
  await append(owner, "later", 7);
  t.match(await status(worker, "sums"), {
    state: "running",
    behind: 7,
    positions_behind: 7,
    health: "good",
    handled: 25,
  });
  t.same(await advance(worker, "sums"), { handled: 7, position: 32, more: false, outcome: "done" });
  t.same(await readSums(reader), await foldedSums(owner));
  t.match(await status(worker, "sums"), {
    behind: 0,
    lag_seconds: null,
    mode: "async",
    takes: "batch",
    tables: ["sums"],
    needs_person: false,
  });
});

t.test("made again, it is the same; another one is refused, an older revision leaves it", async (t) => {
  t.equal(await create(worker, "sums", "sums"), false);
  t.equal(await create(worker, "sums", "sums", ", on_failure => 'park', max_attempts => 2"), false);
  t.match(await status(worker, "sums"), { on_failure: "park", max_attempts: 2 });
  for (const [option, difference] of [
    [", mode => 'inline'", "mode"],
    [", types => '{Added}'", "types"],
    [", categories => '{before}'", "categories"],
    [", setup => 'create index on sums (n)'", "setup"],
    [", tenant_id => 'one'", "tenant_id"],
    [", revision => 2", "revision"],
  ] as const)
    t.match(await refused(t, "YD603", difference, () => create(worker, "sums", "sums", option)), {
      projection: "sums",
      differences: [difference],
    });
  t.equal(await create(worker, "sums", "sums", ", revision => 0, types => '{Added}'"), false);
  t.match(await status(worker, "sums"), { types: null, revision: 1 });
});

t.test("who may do what", async (t) => {
  for (const [name, call] of [
    ["worker makes", () => create(worker, "mine", "sums")],
    ["reader advances", () => advance(reader, "sums")],
    ["worker drops", () => value(worker, "select daybook.drop_projection('sums')")],
    ["worker replaces", () => value(worker, "select daybook.replace_projection('sums')")],
    ["reader writes", () => rows(reader, "delete from daybook_projections.sums")],
    ["reader goes round the view", () => rows(reader, "select * from daybook_sums_1.sums")],
    ["worker calls the function", () => rows(worker, "select daybook_doors.daybook_sums_1('{}')")],
  ] as const)
    await refused(t, "42501", name, call);
});

t.test("tenants: the view shows those that whoever asks may see", async (t) => {
  await owner.query("select daybook.append_event('two-1', 'Added', '{\"amount\": 5}', tenant_id => 'two')");
  await advanceAll(worker, "sums");
  const two = await login("daybook_reader", ["two"]);
  t.same(await readSums(two), [{ tenant_id: "two", stream_id: "two-1", n: 1, total: 5 }]);
  t.same(await column(reader, "select distinct tenant_id from daybook_projections.sums order by 1"), [
    "default",
    "two",
  ]);
  await inTransaction(reader, async () => {
    await reader.query("set local daybook.tenant = 'two'");
    t.same(await column(reader, "select distinct tenant_id from daybook_projections.sums"), ["two"]);
  });
  await inTransaction(worker, async () => {
    await worker.query("set local daybook.tenant = 'two'");
    await refused(t, "YD202", "advancing while narrowed", () => advance(worker, "sums"));
    await worker.query("rollback; begin");
  });
});

t.test("types, categories, one tenant, where it starts; and what it does not follow moves it on too", async (t) => {
  await owner.query("select daybook.drop_projection('sums')");
  const last = Number(await value(owner, "select last_value from daybook.positions"));
  await create(admin, "sums", "sums", ", types => '{Rare,Odd}', categories => '{rare}', start_from => 'now'");
  await append(owner, "rare", 4);
  await append(owner, "other", 3, "{}", "Rare");
  await append(owner, "rare", 2, "{}", "Rare");
  t.same(await advance(worker, "sums", 1), { handled: 1, position: last + 8, more: true, outcome: "more" });
  t.same(await advance(worker, "sums", 5), { handled: 1, position: last + 9, more: false, outcome: "done" });
  t.same(await readSums(reader), [
    { tenant_id: "default", stream_id: "rare-1", n: 1, total: 1 },
    { tenant_id: "default", stream_id: "rare-2", n: 1, total: 2 },
  ]);
  await append(owner, "before", 3);
  t.match(await status(worker, "sums"), { behind: 0, positions_behind: 3, lag_seconds: null });
  t.same(await advance(worker, "sums"), { handled: 0, position: last + 12, more: false, outcome: "done" });
  await owner.query("select daybook.drop_projection('sums')");
  await create(admin, "sums", "sums", ", tenant_id => 'two'");
  await advanceAll(worker, "sums", 4);
  t.same(await readSums(reader), [{ tenant_id: "two", stream_id: "two-1", n: 1, total: 5 }]);
});

t.test("what a transaction has appended itself is there for it, and rolled back with it", async (t) => {
  const before = await readSums(owner);
  await owner.query("begin");
  await owner.query("select daybook.append_event('two-1', 'Added', '{\"amount\": 1}', tenant_id => 'two')");
  t.match(await advance(owner, "sums"), { handled: 1, outcome: "done" });
  t.match(await readSums(owner), [{ n: 2, total: 6 }]);
  await owner.query("rollback");
  t.same(await readSums(owner), before);
});

t.test("waiting for a position", async (t) => {
  await owner.query("select daybook.append_event('two-1', 'Added', tenant_id => 'two')");
  const last = Number(await value(owner, "select last_value from daybook.positions"));
  t.match(
    await refused(t, "YD606", "nobody advances it", () =>
      value(reader, "select daybook.wait_for('sums', $1, '20 milliseconds')", [last]),
    ),
    {
      projection: "sums",
      position: last,
      state: "running",
    },
  );
  const waiting = value(reader, "select daybook.wait_for('sums', $1, '30 seconds')", [last]);
  await advanceAll(worker, "sums");
  t.equal(await waiting, last);
  await refused(t, "YD403", "beyond the log", () => value(reader, "select daybook.wait_for('sums', $1)", [last + 1]));
  await refused(t, "YD601", "unknown", () => value(reader, "select daybook.wait_for('none', 0)"));
  await reader.query("begin isolation level repeatable read");
  await refused(t, "YD402", "in an older snapshot", () => value(reader, "select daybook.wait_for('sums', 0)"));
  await reader.query("rollback");
});

t.test("views in a schema of one's own, tables with an index and rows of their own", async (t) => {
  await owner.query("create schema reading; grant usage, create on schema reading to daybook_projector");
  await create(admin, "journal", "journal", ", schema => 'reading', setup => 'create index on journal (stream_id)'");
  await advanceAll(worker, "journal");
  t.match(await status(worker, "journal"), { schema: "reading", tables: ["journal"] });
  t.equal(
    await value(owner, "select count(*) from reading.journal"),
    await value(owner, "select count(*) from daybook.events"),
  );
  t.equal(await value(owner, "select count(*) from pg_indexes where schemaname = 'daybook_journal_1'"), 2);
  t.match(await refused(t, "YD603", "schema", () => create(admin, "journal", "journal")), {
    differences: ["setup", "schema"],
  });
  await owner.query("select daybook.drop_projection('journal'); drop schema reading");
});

t.test("dropping: with its tables, views and position, and nothing is left of it", async (t) => {
  await owner.query("create view app.on_top as select * from daybook_projections.sums");
  t.same(
    await refused(t, "YD604", "a view rests on it", () => value(admin, "select daybook.drop_projection('sums')")),
    {
      projection: "sums",
      dependants: ["view app.on_top"],
    },
  );
  const drop = () => value(admin, "select daybook.drop_projection('sums')");
  t.match(await failure(drop), { message: "view app.on_top rests on the views of projection 'sums'" });
  await owner.query("create view app.beside as select * from daybook_projections.sums");
  t.match(await failure(drop), { message: "view app.beside, view app.on_top rest on the views of projection 'sums'" });
  await owner.query("drop view app.beside");
  t.equal((await readSums(owner)).length, 1, "and nothing was changed");
  await admin.query("select daybook.drop_projection('sums', 'test', cascade => true)");
  t.same(await column(owner, "select nspname from pg_namespace where nspname like 'daybook\\_sums%'"), []);
  t.equal(await value(owner, "select to_regclass('app.on_top')"), null);
  for (const table of ["projection_versions", "cursors", "consumers", "inline_projections"])
    t.same(await rows(owner, `select * from daybook.${table}`), [], table);
  await refused(t, "YD601", "it is not there", () => advance(worker, "sums"));
  await writesNothing(t, owner, "dropping what is not there", () =>
    refused(t, "YD601", "dropped twice", () => value(admin, "select daybook.drop_projection('sums')")),
  );
});
