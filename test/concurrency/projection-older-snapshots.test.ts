import t from "tap";
import { testDatabase } from "../support/database.ts";
import { sessions } from "./support/sessions.ts";

/*
 * What readers of a projection see while it is switched: a statement of READ COMMITTED always a whole version. A snapshot
 * that is older than the switch has, of the version that the view shows from then on, what was built before it.
 */

const database = await testDatabase(t);
const { owner, reader } = await sessions(t, database.url, ["owner", "reader"]);
const EVENTS = 30;
await owner.rows(`create schema app;
  create function app.seen(events daybook.event[]) returns void language plpgsql as $$ begin
    insert into seen select e.position from unnest(events) e; end $$`);
await owner.rows("select daybook.append_event('s-' || i % 3, 'T') from generate_series(1, $1) i", [EVENTS]);
await owner.rows(`select daybook.create_projection('seen', 'app.seen', '{"seen": "position bigint primary key"}')`);
await owner.rows("select daybook.advance_projection('seen')");

const SEEN = "select count(*) from daybook_projections.seen";
const LEVELS = ["repeatable read", "serializable"] as const;
const rebuild = async () => `seen@${await owner.value("select daybook.rebuild_projection('seen')")}`;
const advance = (consumer: string, count = 1000) =>
  owner.value("select outcome from daybook.advance_projection($1, $2)", [consumer, count]);

for (const level of LEVELS) {
  t.test(`${level}: a snapshot between two batches of the rebuild must begin again`, async (t) => {
    const next = await rebuild();
    await advance(next, 10);
    await reader.rows(`begin isolation level ${level}`);
    await reader.rows("select 1 from daybook.events limit 1");
    t.equal(await advance(next), "switched");
    t.equal(await owner.value(SEEN), EVENTS);
    t.equal(await reader.outcome(SEEN), "40001");
    await reader.rows("rollback");
    t.equal(await reader.value(SEEN), EVENTS);
  });

  t.test(`${level}: one that has read the view before holds the switch back, and sees what it saw`, async (t) => {
    const next = await rebuild();
    await reader.rows(`begin isolation level ${level}`);
    t.equal(await reader.value(SEEN), EVENTS);
    t.equal(await advance(next), "waiting");
    t.equal(await reader.value(SEEN), EVENTS);
    await reader.rows("rollback");
    await owner.rows("update daybook.projection_versions set switch_at = null, waits_for = null");
    t.equal(await advance(next), "switched");
  });
}

t.test("read committed: begun before the switch, it reads what is there when it reads", async (t) => {
  const next = await rebuild();
  await reader.rows("begin");
  await reader.rows("select 1 from daybook.events limit 1");
  t.equal(await advance(next), "switched");
  t.equal(await reader.value(SEEN), EVENTS);
  await reader.rows("rollback");
});

t.test("reset: every snapshot sees it empty, and fill", async (t) => {
  await reader.rows("begin isolation level repeatable read");
  await reader.rows("select 1 from daybook.events limit 1");
  await owner.rows("select daybook.reset_projection('seen')");
  t.equal(await reader.value(SEEN), 0);
  await reader.rows("rollback");
  await advance("seen");
  t.equal(await reader.value(SEEN), EVENTS);
});
