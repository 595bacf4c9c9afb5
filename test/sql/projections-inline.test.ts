import t from "tap";
import { testDatabase } from "../support/database.ts";
import { roleLogin } from "../support/roles.ts";
import { advance, advanceAll, append, create, createFunctions, foldedSums, readSums, status } from "./projecting.ts";
import { column, connect, failure, inTransaction, refused, row, rows, value, writesNothing } from "./support.ts";
import { ways } from "./ways.ts";

const database = await testDatabase(t);
const owner = await connect(t, database.url);
const login = async (role: string, tenants = ["*"]) =>
  connect(t, await roleLogin(database, { roles: [role], tenants }));
const admin = await login("daybook_admin");
const writer = await login("daybook_writer");
await createFunctions(owner);
await append(owner, "before", 12);

const wholeJournal = () => rows(owner, "select * from daybook_projections.journal order by position");
const expectedJournal = () =>
  rows(owner, "select position, stream_id, version, version - 1 as before from daybook.events order by position");

t.test("what is there already is applied at once; then each way to append applies its own events", async (t) => {
  t.equal(await create(admin, "sums", "sums", ", mode => 'inline'"), true);
  t.equal(await create(admin, "journal", "journal", ", mode => 'inline'"), true);
  t.match(await status(owner, "sums"), { state: "inline", position: 12, behind: 0, health: "good" });
  t.same(await readSums(owner), await foldedSums(owner));
  t.same(await wholeJournal(), await expectedJournal());
  for (const way of ways)
    for (const count of [1, 3])
      await way.append(writer, {
        stream: `${way.name}-1`,
        events: Array.from({ length: count }, () => ({ type: "Added", data: { amount: 2 } })),
      });
  t.same(await readSums(owner), await foldedSums(owner));
  t.same(await wholeJournal(), await expectedJournal());
  t.match(await advance(owner, "sums"), { handled: 0, outcome: "inline" });
  t.equal(Number(await value(owner, "select daybook.wait_for('sums', 1)")) > 0, true);
});

t.test("a writer of one tenant: applied all the same", async (t) => {
  const one = await login("daybook_writer", ["one"]);
  await one.query("select daybook.append_event('own-1', 'Added', '{\"amount\": 3}', tenant_id => 'one')");
  await inTransaction(writer, async () => {
    await writer.query("set local daybook.tenant = 'two'");
    await writer.query("select daybook.append_event('own-1', 'Added', '{\"amount\": 4}')");
  });
  t.same(await readSums(owner), await foldedSums(owner));
});

t.test("rolled back with the append, and with a savepoint", async (t) => {
  const before = [await readSums(owner), await wholeJournal()];
  await writer.query("begin; savepoint s");
  await append(writer, "before", 3);
  await writer.query("rollback to s");
  await append(writer, "before", 1);
  await writer.query("rollback");
  t.same([await readSums(owner), await wholeJournal()], before);
});

t.test("what it does not follow, it is not given", async (t) => {
  await owner.query("select daybook.drop_projection('journal')");
  await create(
    admin,
    "journal",
    "journal",
    ", mode => 'inline', types => '{Wanted}', categories => '{wanted}', start_from => 'now'",
  );
  await writer.query(
    `select daybook.append('wanted-1', '[{"type": "Wanted"}, {"type": "Other"}]'), daybook.append_event('other-1', 'Wanted'),
            daybook.append_event('wanted-1', 'Wanted'), daybook.append_event('wanted-1', 'Other')`,
  );
  await writer.query(
    `select daybook.append_batch('[{"stream_id": "wanted-2", "events": [{"type": "Other"}, {"type": "Wanted"}]}, {"stream_id": "other-2", "events": [{"type": "Wanted"}]}]')`,
  );
  t.same(await column(owner, "select stream_id || ' ' || version from daybook_projections.journal order by position"), [
    "wanted-1 1",
    "wanted-1 3",
    "wanted-2 2",
  ]);
  t.same(await readSums(owner), await foldedSums(owner));
  await owner.query("select daybook.drop_projection('journal')");
});

t.test("a failure refuses the append, and names the projection", async (t) => {
  await create(admin, "picky", "picky", ", mode => 'inline', start_from => 'now'");
  for (const way of ways.filter((one) => one.name !== "append_batch"))
    await writesNothingButPositions(async () => {
      const error = await failure(() =>
        way.append(writer, { stream: "bad-1", events: [{ type: "Added", data: { fail: true } }] }),
      );
      t.match(error, { code: "YD607", message: "projection picky failed on an event Added: cannot take it" }, way.name);
      t.match(JSON.parse(error.detail ?? ""), { projection: "picky", stream_id: "bad-1", cause: { code: "P0042" } });
    });
  const [entry] = await rows(
    writer,
    `select * from daybook.append_batch('[{"stream_id": "bad-1", "events": [{"type": "Added", "data": {"fail": 1}}], "expected_version": -1}]')`,
  );
  t.match(entry, { status: "failed" });
  await writer.query("select daybook.append_event('good-1', 'Added')");
  t.match(await row(owner, "select count(*) as n from daybook_projections.picky"), { n: 1 });
});

async function writesNothingButPositions(work: () => Promise<unknown>): Promise<void> {
  const before = await rows(owner, "select count(*) from daybook.event_log");
  await work();
  t.same(await rows(owner, "select count(*) from daybook.event_log"), before);
}

t.test("paused, appends go on without it; resumed, it catches up and is inline again", async (t) => {
  await admin.query("select daybook.pause_projection('picky', 'for a while')");
  t.match(await status(owner, "picky"), { state: "paused", state_reason: "for a while" });
  await append(writer, "bad", 2, '{"fail": 1}');
  t.match(await advance(owner, "picky"), { handled: 0, outcome: "paused" });
  t.same(await readSums(owner), await foldedSums(owner), "another one goes on");
  await admin.query("select daybook.resume_projection('picky')");
  t.match(await status(owner, "picky"), { state: "following", behind: 2 });
  t.match(await advance(owner, "picky"), { outcome: "retry" });
  await append(writer, "bad", 1, '{"fail": 1}');
  await owner.query("select daybook.reset_projection('sums', 'to see it fill')");
  t.same(await readSums(owner), []);
  t.match(await status(owner, "sums"), { state: "following", position: 0 });
  t.same((await advanceAll(owner, "sums", 7)).at(-1), "switched");
  t.same(await readSums(owner), await foldedSums(owner));
  await append(writer, "again", 2);
  t.same(await readSums(owner), await foldedSums(owner));
  await admin.query("select daybook.drop_projection('picky')");
});

t.test("the plans of appends: nothing of it left once it is dropped", async (t) => {
  t.equal(await value(owner, "select daybook._watched('default', 'a', 'T')"), true);
  await admin.query("select daybook.drop_projection('sums')");
  t.equal(await value(owner, "select daybook._watched('default', 'a', 'T')"), false);
  t.match(
    JSON.stringify(await column(owner, "explain (verbose, costs off) select daybook._watched('a', 'b', 'c')")),
    /Output: false/,
  );
});

t.test("taking turns, where appends touch rows in an order of their own", async (t) => {
  await owner.query(`create function app.turns(event daybook.event) returns void language plpgsql as $$ begin
    insert into turns (position, before) select event.position, coalesce((select max(o.position) from turns o), 0); end $$`);
  t.equal(
    await value(
      admin,
      `select daybook.create_projection('turns', 'app.turns', '{"turns": "position bigint, before bigint"}', mode => 'inline', serialize => true, start_from => 'now')`,
    ),
    true,
  );
  await append(writer, "turns", 3);
  await writer.query("begin isolation level repeatable read; select 1 from daybook.events limit 1");
  await append(owner, "turns", 1);
  await refused(t, "40001", "an older snapshot", () => append(writer, "turns", 1));
  await writer.query("rollback");
  await append(writer, "turns", 1);
  t.same(
    await rows(
      owner,
      "select position, before from daybook_projections.turns where before <> 0 and before <> position - 1 and before <> position - 2",
    ),
    [],
  );
  await writesNothing(t, owner, "not for those that follow the log", () =>
    refused(t, "YD602", "serialize without inline", () => create(admin, "x", "sums", ", serialize => true")),
  );
});
