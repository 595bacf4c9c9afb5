import t from "tap";
import { createFunctions, journal } from "../sql/projecting.ts";
import { testDatabase } from "../support/database.ts";
import { endedOrBlocked, endsAlone, sessions } from "./support/sessions.ts";

/*
 * Numbers of versions, and the counting of what a projection in TypeScript was given, where several do it at once.
 */

const database = await testDatabase(t);
await createFunctions(database.pool);
const { owner, one, other } = await sessions(t, database.url, ["owner", "one", "other"]);
for (let i = 0; i < 5; i += 1) await owner.rows("select daybook.append_event('s-1', 'T')");
await owner.rows("select daybook.create_projection('journal', 'app.journal', $1)", [JSON.stringify({ journal })]);
await owner.rows(`select daybook.create_projection('code', tables => '{"code": "position bigint"}')`);

t.test("given up while another rebuild is asked for: it has the next number", async (t) => {
  t.equal(await owner.value("select daybook.rebuild_projection('journal')"), 2);
  await one.rows("begin; select daybook.drop_rebuild('journal')");
  const next = other.value("select daybook.rebuild_projection('journal')");
  t.equal(await endedOrBlocked(owner, other, [one], next), "blocked");
  await one.rows("commit");
  t.equal(await next, 3);
});

t.test("not given up after all: it is told which one is being built", async (t) => {
  await one.rows("begin; select daybook.drop_rebuild('journal')");
  const next = other.outcome("select daybook.rebuild_projection('journal')");
  t.equal(await endedOrBlocked(owner, other, [one], next), "blocked");
  await one.rows("rollback");
  t.equal(await next, "YD605");
  t.equal(await owner.value("select building_version from daybook.projections where name = 'journal'"), 3);
  t.equal(
    await owner.value(
      "select dropped_version from daybook.projection_versions where name = 'journal' and stage = 'live'",
    ),
    2,
  );
});

t.test("given up while it is switched to: there is nothing to give up, and the numbers go on", async (t) => {
  await owner.rows("select daybook.advance_projection('journal')");
  await one.rows("begin");
  t.match(await one.rows("select outcome from daybook.advance_projection('journal@3')"), [{ outcome: "switched" }]);
  const dropping = other.value("select daybook.drop_rebuild('journal')");
  t.equal(await endedOrBlocked(owner, other, [one], dropping), "blocked");
  await one.rows("commit");
  t.equal(await dropping, false);
  t.equal(await owner.value("select daybook.rebuild_projection('journal')"), 4);
});

t.test("a batch that is counted and not committed holds up no rebuild, and counts once the batch does", async (t) => {
  const batch = async (to: number, end: "commit" | "rollback") => {
    await one.rows("begin");
    const [claim] = await one.rows("select * from daybook.claim_consumer('projection', 'code', 0, 1)");
    const finish = "select daybook.finish_batch('projection', 'code', 0, $1, $2, handled => 2)";
    t.equal(await one.outcome(finish, [claim?.position, to]), "ok");
    t.ok(await endsAlone(owner, other, [one], other.outcome("select daybook.rebuild_projection('code')")));
    t.equal(
      await endedOrBlocked(owner, other, [one], other.outcome("select * from daybook.advance_projection('code')")),
      "ended",
    );
    await one.rows(end);
  };
  await batch(2, "rollback");
  const counted = "select handled, rate from daybook.projections where name = 'code'";
  t.match(await owner.rows(counted), [{ handled: 0, rate: null }]);
  await batch(2, "commit");
  await batch(4, "commit");
  t.match(await owner.rows(counted), [{ handled: 4, rate: Number }]);
  await one.rows("begin; select * from daybook.claim_consumer('projection', 'code', 0, 1)");
  t.equal(
    await one.outcome("select daybook.finish_batch('projection', 'code', 0, 2, 5, handled => 3)"),
    "YD503",
    "it is at 4",
  );
  await one.rows("rollback");
  t.match(await owner.rows(counted), [{ handled: 4 }], "what is stale is not counted");
});
