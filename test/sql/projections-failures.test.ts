import t from "tap";
import { testDatabase } from "../support/database.ts";
import { roleLogin } from "../support/roles.ts";
import { advance, advanceAll, append, create, createFunctions, status } from "./projecting.ts";
import { column, connect, failure, refused, row, rows, value, writesNothing } from "./support.ts";

const database = await testDatabase(t);
const owner = await connect(t, database.url);
const login = async (role: string) => connect(t, await roleLogin(database, { roles: [role], tenants: ["*"] }));
const admin = await login("daybook_admin");
const worker = await login("daybook_worker");
await createFunctions(owner);
/** 20 events, of which the 8th and the 13th cannot be taken: both of stream e-3. */
await append(owner, "e", 7);
await append(owner, "e", 3, '{"n": 1}');
await owner.query("select daybook.append_event('e-3', 'Added', '{\"fail\": true}')");
await append(owner, "e", 4);
await owner.query("select daybook.append_event('e-3', 'Added', '{\"fail\": true}')");
await append(owner, "e", 4);
const kept = () => column(owner, "select position from daybook_projections.picky order by position");
const upTo = (last: number, ...without: number[]) =>
  Array.from({ length: last }, (_, i) => i + 1).filter((n) => !without.includes(n));

t.test("halt: what lies before the event is done, it is tried again, and then waits for a person", async (t) => {
  await create(admin, "picky", "picky", ", max_attempts => 2, base_delay => '1 microsecond'");
  t.same(await advance(worker, "picky"), { handled: 10, position: 10, more: false, outcome: "retry" });
  t.same(await kept(), upTo(10));
  t.match(await status(owner, "picky"), {
    state: "running",
    attempts: 1,
    last_error: { code: "P0042", message: "cannot take it", detail: "for good", position: 11 },
  });
  t.match(await advance(worker, "picky"), { handled: 0, position: 10, outcome: "halted" });
  t.match(await status(owner, "picky"), { state: "halted", health: "critical", needs_person: true });
  t.match(await advance(worker, "picky"), { handled: 0, outcome: "halted" });
  await owner.query(`create or replace function app.picky(events daybook.event[]) returns void language plpgsql as $$ begin
    insert into picky (position, stream_id) select e.position, e.stream_id from unnest(events) e; end $$`);
  t.equal(await value(admin, "select daybook.rebuild_projection('picky')"), 2, "corrected, and built anew");
  t.equal((await advanceAll(worker, "picky@2")).at(-1), "switched");
  t.same(await kept(), upTo(20));
  t.match(await status(owner, "picky"), { state: "running", needs_person: false, last_error: null });
  await owner.query("select daybook.drop_projection('picky')");
  await owner.query("drop schema app cascade");
  await createFunctions(owner);
});

t.test("skip: a dead letter, and it goes on", async (t) => {
  await create(admin, "picky", "picky", ", on_failure => 'skip', max_attempts => 1");
  t.same(await advanceAll(worker, "picky"), ["skipped", "skipped", "done"]);
  t.same(await kept(), upTo(20, 11, 16));
  t.same(await column(owner, "select state from daybook.dead_letters where kind = 'projection' and name = 'picky'"), [
    "skipped",
    "skipped",
  ]);
  await owner.query("select daybook.drop_projection('picky')");
});

t.test("park: its stream waits, others flow; tried again, discarded by a person", async (t) => {
  await create(admin, "picky", "picky", ", on_failure => 'park', max_attempts => 2, base_delay => '1 microsecond'");
  const streams = await column(
    owner,
    "select position from daybook.events where stream_id = 'e-3' and position >= 11 order by 1",
  );
  t.match(await advance(worker, "picky"), { handled: 10, outcome: "parked", more: true });
  await owner.query("update daybook.parked_streams set retry_at = 'infinity'");
  t.same(await advanceAll(worker, "picky"), ["done"]);
  t.same(await kept(), upTo(20, ...streams.map(Number)));
  t.match(await status(owner, "picky"), { parked_streams: 1, needs_person: false, position: 20 });
  await owner.query("update daybook.parked_streams set retry_at = now()");
  t.match(await advance(worker, "picky"), { outcome: "parked" });
  t.match(await status(owner, "picky"), { parked_streams: 1, dead_letters: 1, needs_person: true });
  t.equal(await value(admin, "select daybook.discard_dead_letters('projection', 'picky', 'a test')"), 1);
  await advance(worker, "picky");
  await advance(worker, "picky");
  for (let i = 0; i < 3; i += 1) await advance(worker, "picky");
  t.same(
    await column(owner, "select position from daybook.dead_letters where state = 'waiting' and kind = 'projection'"),
    [16],
  );
  t.equal(await value(admin, "select daybook.discard_dead_letters('projection', 'picky', 'a test')"), 1);
  for (let i = 0; i < 3; i += 1) await advance(worker, "picky");
  t.same(await kept(), upTo(20, 11, 16));
  t.match(await status(owner, "picky"), { parked_streams: 0, dead_letters: 0, needs_person: false });
  await owner.query("select daybook.drop_projection('picky')");
});

t.test("parked streams of what is built hold the switch back, until somebody has seen to them", async (t) => {
  await create(admin, "picky", "picky", ", on_failure => 'park', max_attempts => 1, types => '{None}'");
  await value(admin, "select daybook.replace_projection('picky', types => '{}')");
  t.equal((await advanceAll(worker, "picky@2")).at(-1), "waiting");
  t.match(await status(owner, "picky"), { version: 1, building_reason: /parked/, needs_person: true });
  for (let i = 0; i < 2; i += 1) {
    await value(admin, "select daybook.discard_dead_letters('projection', 'picky@2', 'a test')");
    await owner.query("update daybook.projection_versions set switch_at = null");
    for (
      let k = 0;
      k < 3 && (await rows(owner, "select from daybook.consumers where name = 'picky@2'")).length > 0;
      k += 1
    )
      await advance(worker, "picky@2");
  }
  t.match(await status(owner, "picky"), { version: 2, state: "running", building_version: null });
  t.same(await kept(), upTo(20, 11, 16));
  await owner.query("select daybook.drop_projection('picky')");
});

t.test("writing to what it did not declare is said clearly", async (t) => {
  await owner.query(`
    create table public.mine (n int);
    create function app.undeclared(events daybook.event[]) returns void language plpgsql as $$ begin
      insert into public.mine select 1; insert into undeclared select 1; end $$`);
  const reach = { last_error: { code: "YD608", position: 1 }, state: "halted" };
  const make = (options: string) =>
    value(
      admin,
      `select daybook.create_projection('undeclared', 'app.undeclared', '{"undeclared": "n int"}'${options})`,
    );
  await make("");
  t.match(await advance(worker, "undeclared"), { outcome: "halted" }, "without the right to");
  t.match(await status(owner, "undeclared"), reach);
  t.match(
    String((await status(owner, "undeclared")).state_reason),
    /reached for what it did not declare: permission denied for table mine/,
  );
  await owner.query("grant insert on public.mine to daybook_projector; select daybook.resume_projection('undeclared')");
  t.match(await advance(worker, "undeclared"), { outcome: "halted" }, "with the right to");
  t.match(await status(owner, "undeclared"), reach);
  t.match(
    String((await status(owner, "undeclared")).state_reason),
    /wrote to mine, which it did not declare|wrote to public\.mine/,
  );
  t.same(await rows(owner, "select * from public.mine"), []);
  await owner.query("select daybook.drop_projection('undeclared'); revoke all on public.mine from daybook_projector");
  await make(", mode => 'inline', start_from => 'now'");
  const error = await failure(() => append(owner, "e", 1));
  t.match(error, { code: "YD607" });
  t.match(JSON.parse(error.detail ?? ""), { cause: { code: "YD608" } });
  await owner.query("select daybook.drop_projection('undeclared')");
});

t.test("its function may be dropped while it is in use: the version has its own", async (t) => {
  await create(admin, "sums", "sums", ", mode => 'inline'");
  await owner.query("drop function app.sums(daybook.event[])");
  await append(owner, "e", 1);
  t.ok(Number((await row(owner, "select sum(n) as n from daybook_projections.sums")).n) > 20);
  await writesNothing(t, owner, "a rebuild would need it", () =>
    refused(t, "YD602", "rebuilding", () => value(admin, "select daybook.rebuild_projection('sums')")),
  );
});

t.test("what says do it again is raised", async (t) => {
  await owner.query(`create function app.again(events daybook.event[]) returns void language plpgsql as $$ begin
    raise exception 'again' using errcode = '40001'; end $$`);
  await value(owner, `select daybook.create_projection('again', 'app.again', '{"again": "n int"}')`);
  t.match(await failure(() => advance(worker, "again")), { code: "40001" });
  t.match(await status(owner, "again"), { position: 0, attempts: 0, last_error: null });
});
