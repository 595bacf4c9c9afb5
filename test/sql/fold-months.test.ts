import t, { type Test } from "tap";
import { testDatabase } from "../support/database.ts";
import { roleLogin } from "../support/roles.ts";
import { makeReducers } from "./folding.ts";
import { longLived, moments, months, perMonth } from "./long-lived.ts";
import { seal } from "./months.ts";
import { column, connect, type Queryable, row, rows, value } from "./support.ts";

/** A fold over a stream that spans monthly partitions: as of now, of a version, of a moment in an earlier month. */

const database = await testDatabase(t);
const owner = await connect(t, database.url);
await makeReducers(owner);
await longLived(owner, ["long-1", "long-2"]);
await owner.query("select daybook.create_reducer('chain', 'app.chain', snapshot_every => 50, keep_snapshots => 10)");
const reader = await connect(t, await roleLogin(database, { roles: ["daybook_reader"], tenants: ["default"] }));
const last = months.length * perMonth;

/** The links of the chain by version, event by event. */
const links = await column(
  owner,
  `with recursive chain (version, link) as (
     select 0::bigint, null
     union all
     select c.version + 1, md5(concat(c.link, e.event_id))
       from chain c join daybook.events e on e.stream_id = 'long-1' and e.version = c.version + 1)
   select link from chain order by version`,
);
const stateOf = (version: number) => (version === 0 ? {} : { events: version, link: links[version] });
const versions = [0, 1, perMonth - 1, perMonth, perMonth + 1, 100, 101, 2 * perMonth, 201, 3 * perMonth + 1, last];
const asked = await moments(owner, "long-1");

async function check(t: Test, db: Queryable, reducer: string): Promise<void> {
  const load = (more: string, values: unknown[]) =>
    row(db, `select state, version from daybook.load_state('long-1', $1${more})`, [reducer, ...values]);
  t.same(await load("", []), { state: stateOf(last), version: last }, "as of now");
  for (const version of versions)
    t.same(await load(", at_version => $2", [version]), { state: stateOf(version), version }, `version ${version}`);
  for (const moment of asked) {
    const version = Number(
      await value(owner, "select count(*) from daybook.events where stream_id = 'long-1' and recorded_at <= $1", [
        moment,
      ]),
    );
    t.same(await load(", at_time => $2", [moment]), { state: stateOf(version), version }, moment);
    t.same(
      await load(", at_time => $2, at_version => 101", [moment]),
      { state: stateOf(Math.min(version, 101)), version: Math.min(version, 101) },
      `${moment}, and version 101`,
    );
  }
}

t.test("its events lie in five partitions of eight", async (t) => {
  const holders = await column(
    owner,
    `select distinct l.tableoid::regclass::text from daybook.event_log l
       join daybook.stream_heads h using (stream_key) where h.stream_id = 'long-1'`,
  );
  t.equal(holders.length, months.length);
  t.equal(await value(owner, "select count(*) from daybook.partitions"), 8);
});

t.test("without snapshots", (t) => check(t, owner, "app.chain"));
t.test("without snapshots, as a reader does", (t) => check(t, reader, "chain"));

t.test("with snapshots in some of the months", async (t) => {
  t.same(
    await column(owner, "select stream_id from daybook.take_snapshots('chain')"),
    ["long-1", "long-2"],
    "they are due",
  );
  // the last of a month, one within a month, the first of a month
  for (const version of [perMonth, 101, 3 * perMonth + 1])
    await owner.query("select daybook.save_snapshot('long-1', 'chain', 1, $1, $2, keep => 10)", [
      version,
      JSON.stringify(stateOf(version)),
    ]);
  t.match(await load(", at_version => 100"), { snapshot_version: perMonth, events_folded: 100 - perMonth });
  t.match(await load(", at_version => 211"), { snapshot_version: 211, events_folded: 0 });
  const between = "(select recorded_at from daybook.events where stream_id = 'long-1' and version = 180)";
  t.match(await load(`, at_time => ${between}`), { version: 180, snapshot_version: 101, events_folded: 79 });
  t.match(await load(""), { snapshot_version: last, events_folded: 0 });
  await check(t, owner, "chain");
  await check(t, reader, "chain");
});

t.test("once the past months are sealed", async (t) => {
  await seal(owner);
  t.same(await rows(owner, "select distinct state from daybook.partitions where range_to < now()"), [
    { state: "sealed" },
  ]);
  await check(t, owner, "app.chain");
  await check(t, reader, "chain");
});

function load(more: string) {
  return row(owner, `select * from daybook.load_state('long-1', 'chain'${more})`);
}
