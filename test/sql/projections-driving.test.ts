import t from "tap";
import { testDatabase } from "../support/database.ts";
import { roleLogin } from "../support/roles.ts";
import { advance, advanceAll, append, create, createFunctions, status } from "./projecting.ts";
import { column, connect, inTransaction, refused, row, rows, value } from "./support.ts";

/*
 * What a worker goes by: which projections have work, and code in TypeScript, which is drained as a handler is.
 */

const database = await testDatabase(t);
const owner = await connect(t, database.url);
const worker = await connect(t, await roleLogin(database, { roles: ["daybook_worker"], tenants: ["*"] }));
await createFunctions(owner);
await append(owner, "a", 10);
const last = async () => Number(await value(owner, "select last_value from daybook.positions"));
const due = async (after: number) =>
  column(
    worker,
    "select format('%s %s %s %s', kind, name, implementation, reason) from daybook.due_consumers($1, $2)",
    [after, await last()],
  );

t.test("due: behind, new, for a retry, a parked stream, a switch; idle ones are moved along", async (t) => {
  await create(owner, "sums", "sums", ", types => '{Rare}'");
  t.same(await due(10), ["projection sums sums behind"]);
  await advanceAll(worker, "sums");
  await append(owner, "a", 2);
  t.same(await due(10), []);
  t.equal(Number(await value(worker, "select daybook.move_idle_consumers(10, 12)")), 12);
  t.match(await status(worker, "sums"), { position: 12 });
  await append(owner, "a", 1, "{}", "Rare");
  t.same(await due(12), ["projection sums sums new"]);
  await advanceAll(worker, "sums");

  await owner.query("select daybook.rebuild_projection('sums')");
  t.same(await due(await last()), ["projection sums@2 sums behind"]);
  await owner.query("update daybook.cursors set position = 13 where name = 'sums@2'");
  t.same(await due(await last()), ["projection sums@2 sums switch"]);
  await owner.query("update daybook.projection_versions set switch_at = now() + interval '1 hour' where version = 2");
  t.same(await due(await last()), []);
  t.ok(await value(worker, "select daybook.next_due() > now()"));
  await owner.query("update daybook.projection_versions set switch_at = now()");
  t.same(await advanceAll(worker, "sums@2"), ["switched"]);
  t.equal(await value(worker, "select daybook.next_due()"), null);
  await owner.query("select daybook.drop_projection('sums')");

  await create(owner, "picky", "picky", ", base_delay => '1 hour', max_delay => '1 day', start_from => 'now'");
  const from = await last();
  await append(owner, "p", 1, '{"fail": 1}');
  t.match(await advance(worker, "picky"), { outcome: "retry" });
  t.match(await advance(worker, "picky"), { outcome: "waiting" });
  t.same(await due(from), []);
  await owner.query("update daybook.cursors set retry_at = now() where name = 'picky'");
  t.same(await due(from), ["projection picky picky retry"]);
  await owner.query(
    "select daybook.create_projection('picky', 'app.picky', tables => (select tables from daybook.projection_versions), on_failure => 'park')",
  );
  t.match(await advance(worker, "picky"), { outcome: "parked" });
  await advanceAll(worker, "picky");
  t.same(await due(await last()), []);
  await owner.query("update daybook.parked_streams set retry_at = now()");
  t.same(await due(await last()), ["projection picky picky parked"]);
  await owner.query("select daybook.drop_projection('picky')");
});

t.test("an inline one has no work; nor has one that is paused or halted", async (t) => {
  await create(owner, "sums", "sums", ", mode => 'inline'");
  await append(owner, "a", 3);
  t.same(await due(0), []);
  await owner.query("select daybook.pause_projection('sums')");
  await append(owner, "a", 3);
  t.same(await due(0), []);
  await owner.query("select daybook.resume_projection('sums')");
  t.same(await due(await last()), ["projection sums sums behind"]);
  t.equal((await advanceAll(worker, "sums")).at(-1), "switched");
  await owner.query("select daybook.drop_projection('sums')");
});

t.test("code in TypeScript: claimed, read and finished as a handler's; switched by advance_projection", async (t) => {
  await owner.query(
    `select daybook.create_projection('code', tables => '{"code": "position bigint primary key, n serial"}', categories => '{a}')`,
  );
  const drain = (consumer: string) =>
    inTransaction(worker, async () => {
      const claim = await row(worker, "select * from daybook.claim_consumer('projection', $1, 0, 1)", [consumer]);
      const events = await rows(worker, "select * from daybook.read_events_for($1, $2, $3, kind => 'projection')", [
        consumer,
        claim.position,
        claim.horizon,
      ]);
      const { schema_name: schema } = await row(
        worker,
        "select schema_name from daybook.projection_versions where consumer = $1 and stage <> 'retired'",
        [consumer],
      );
      await worker.query(`set local search_path = "${schema}", pg_temp`);
      for (const { position } of events) await worker.query("insert into code (position) values ($1)", [position]);
      await worker.query("select daybook.finish_batch('projection', $1, 0, $2, $3, handled => $4)", [
        consumer,
        claim.position,
        claim.horizon,
        events.length,
      ]);
      return events.length;
    });
  const seen = await drain("code");
  t.equal(Number(await value(owner, "select count(*) from daybook_projections.code")), seen);
  const counted = await status(owner, "code");
  t.match(counted, { handled: seen, rate: Number });
  t.ok(Number(counted.rate) > 0, "they are counted, and timed");
  t.match(await advance(worker, "code"), { handled: 0, outcome: "done" });
  await append(owner, "a", 2);
  t.match(await advance(worker, "code"), { handled: 0, outcome: "typescript", more: false });
  await drain("code");
  await owner.query("select daybook.rebuild_projection('code')");
  t.match(await advance(worker, "code@2"), { handled: 0, outcome: "typescript" });
  await drain("code@2");
  t.match(await advance(worker, "code@2"), { outcome: "switched" });
  t.equal(Number(await value(owner, "select count(*) from daybook_projections.code")), seen + 2);
  t.match(await status(owner, "code"), { version: 2, takes: "typescript", apply: null, handled: seen + 2 });
  await refused(t, "42501", "nor may a worker drop its tables", () => worker.query("drop table daybook_code_2.code"));
});

t.test("in another isolation level than READ COMMITTED nothing that rests on what others have made", async (t) => {
  for (const call of [
    "create_projection('x', 'app.sums', '{\"x\": \"n int\"}', mode => 'inline')",
    "advance_projection('code')",
    "replace_projection('code')",
  ]) {
    await owner.query("begin isolation level repeatable read");
    await refused(t, "YD402", call, () => owner.query(`select daybook.${call}`));
    await owner.query("rollback");
  }
});

t.test("old versions that somebody has open are dropped later", async (t) => {
  const reader = await connect(t, database.url);
  await reader.query("begin; select count(*) from daybook_code_2.code");
  await owner.query("select daybook.rebuild_projection('code')");
  await owner.query(
    "update daybook.cursors set position = (select last_value from daybook.positions) where name = 'code@3'",
  );
  t.match(await advance(worker, "code@3"), { outcome: "switched" });
  t.equal(await value(owner, "select stage from daybook.projection_versions where version = 2"), "retired");
  t.notOk((await column(worker, "select task from daybook.upkeep()")).includes("old versions of projections dropped"));
  await reader.query("commit");
  t.ok((await column(worker, "select task from daybook.upkeep()")).includes("old versions of projections dropped"));
  t.same(await column(owner, "select version from daybook.projection_versions"), [3]);
});
