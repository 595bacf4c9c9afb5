import t from "tap";
import { testDatabase } from "../support/database.ts";
import { roleLogin } from "../support/roles.ts";
import { column, connect, type Queryable, rows, value } from "./support.ts";

// What is rare is found without looking at what lies in between: 16,000 events of others, in the same tenant and in
// tenants before and behind it.
const database = await testDatabase(t);
const owner = await connect(t, database.url);
const filler = 4_000;
await owner.query("select daybook.append_event('rare-1', 'Rare', tenant_id => 'mine')");
for (const [tenant, category] of [
  ["aaa", "big"],
  ["mine", "big"],
  ["mine", "rare"],
  ["zzz", "big"],
]) {
  await owner.query(
    `with head as (
       insert into daybook.stream_heads (tenant_id, stream_id, version, first_recorded_at, last_recorded_at)
       values ($1, $2 || '-filler', $3, now(), now()) returning stream_key)
     insert into daybook.event_log (position, stream_key, version, recorded_at, schema_version, event_id, tenant_id, category, type, data)
     select nextval('daybook.positions'), stream_key, n, now(), 1, daybook.uuid_v7(), $1, $2, 'Filler', '{}' from head, generate_series(1, $3) n`,
    [tenant, category, filler],
  );
}
await owner.query("select daybook.append_event('rare-1', 'Rare', tenant_id => 'mine')");
await owner.query("vacuum analyze daybook.event_log");
const reader = await connect(t, await roleLogin(database, { roles: ["daybook_reader"], tenants: ["mine"] }));

const counted = await column(
  owner,
  `select p.relid::oid from pg_partition_tree('daybook.event_log') p
   union all
   select i.indexrelid from pg_partition_tree('daybook.event_log') p join pg_index i on i.indrelid = p.relid`,
);

/** Rows and index entries that a query reads from the log, by PostgreSQL's own counters; the most of several runs, since plans change from the sixth on. */
async function entriesRead(db: Queryable, query: string): Promise<number> {
  const read = () =>
    value(db, "select sum(pg_stat_get_xact_tuples_returned(r)) from unnest($1::oid[]) r", [counted]).then(Number);
  let most = 0;
  for (let n = 0; n < 8; n++) {
    await db.query("begin");
    const before = await read();
    await db.query(query);
    most = Math.max(most, (await read()) - before);
    await db.query("rollback");
  }
  return most;
}

for (const [name, db] of [
  ["the owner", owner],
  ["a reader of one tenant", reader],
] as const) {
  t.test(`as ${name}`, async (t) => {
    for (const call of [
      "read_all(0, 10, types => '{Rare}', tenant_id => 'mine')",
      "read_all(0, 10, types => '{Rare}', tenant_id => '*')",
      "read_all(1, 10, types => '{Rare}', categories => '{rare}', tenant_id => 'mine')",
      "read_all(1, 10, types => '{Rare,Nothing}', tenant_id => 'mine')",
      "read_type('Rare', max_count => 10, tenant_id => 'mine')",
      "read_all(0, 10, types => '{Nothing}', tenant_id => 'mine')",
      "read_category('nothing', 0, 10, 'mine')",
    ]) {
      const count = await entriesRead(db, `select * from daybook.${call}`);
      t.ok(count < filler / 2, `${call} reads ${count} of ${4 * filler + 2}`);
    }
    t.equal((await rows(db, "select from daybook.read_all(0, 10, types => '{Rare}', tenant_id => 'mine')")).length, 2);
  });
}
