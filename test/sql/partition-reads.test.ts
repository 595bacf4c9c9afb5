import t from "tap";
import { testDatabase } from "../support/database.ts";
import { month, nameOf, onlyMonths, seal, writeIn } from "./months.ts";
import { column, connect, rows, value } from "./support.ts";

const database = await testDatabase(t);
const db = await connect(t, database.url);
const months = Array.from({ length: 24 }, (_, i) => i - 23);
await onlyMonths(db, months);
for (const n of months) {
  for (let k = 0; k < 3; k++) await writeIn(db, n, `old${n}-${k}`);
}
// one that has lived for three months
await writeIn(db, -8, "long-1");
await db.query(
  `with head as (
     update daybook.stream_heads set version = 2, last_recorded_at = ${month(-6)} + interval '1 hour' where stream_id = 'long-1' returning stream_key)
   insert into daybook.event_log (position, stream_key, version, recorded_at, schema_version, event_id, tenant_id, category, type, data)
   select nextval('daybook.positions'), stream_key, 2, ${month(-6)} + interval '1 hour', 1, daybook.uuid_v7(), 'default', 'long', 'Old', '{}' from head`,
);
const lastOld = Number(await value(db, "select last_value from daybook.positions"));
await db.query(
  "select daybook.append('now-1', (select jsonb_agg(jsonb_build_object('type', 'New', 'event_id', daybook.uuid_v7())) from generate_series(1, 100)))",
);
await db.query("select daybook.ensure_partitions(3)");
await db.query("analyze");
const name = (n: number) => nameOf(db, n).then(String);

async function scans(): Promise<Map<string, number>> {
  const all = await rows(
    db,
    "select relname, coalesce(seq_scan, 0) + coalesce(idx_scan, 0) as scans from pg_stat_xact_user_tables where schemaname = 'daybook' and relname ~ '^event_log_'",
  );
  return new Map(all.map((r) => [String(r.relname), Number(r.scans)]));
}

/** The partitions a query looks into, by PostgreSQL's own counters; it runs several times, since plans change from the sixth run on. */
async function touched(query: string, values: unknown[] = []): Promise<string[]> {
  const all = new Set<string>();
  for (let n = 0; n < 8; n++) {
    await db.query("begin");
    const before = await scans();
    await db.query(query, values);
    for (const [partition, count] of await scans()) {
      if (count > (before.get(partition) ?? 0)) all.add(partition);
    }
    await db.query("rollback");
  }
  return [...all].sort();
}

t.test("there are 27 partitions, and a query of all touches all", async (t) => {
  t.equal((await touched("select from daybook.event_log")).length, 27);
});

t.test("a stream is read from the partitions that can hold it", async (t) => {
  const old = [await name(-20)];
  const long = await Promise.all([-8, -7, -6].map(name));
  const now = [await name(0)];
  for (const [stream, holders] of [
    ["old-20-1", old],
    ["long-1", long],
    ["now-1", now],
    ["nothing-1", []],
  ] as const) {
    for (const call of [
      "read_stream($1)",
      "read_stream($1, backwards => true)",
      "read_stream($1, 2, 10)",
      "read_streams(jsonb_build_array($1::text))",
    ]) {
      const partitions = await touched(`select * from daybook.${call}`, [stream]);
      t.same(
        partitions.filter((p) => !holders.some((h) => h === p)),
        [],
        `${call} of ${stream}: in no other`,
      );
    }
    const read = await touched("select * from daybook.read_stream($1)", [stream]);
    t.same(read, holders, `${stream}: where it is`);
  }
  t.same(await touched(`select * from daybook.read_streams('["old-20-1", "now-1"]')`), [...old, ...now].sort());
});

t.test("a retry looks where its stream is", async (t) => {
  const ids = await column(db, "select event_id from daybook.events where stream_id = 'now-1' order by version");
  const events = JSON.stringify(ids.map((event_id) => ({ type: "New", event_id })));
  t.same(await touched("select * from daybook.append('now-1', $1, 0)", [events]), [await name(0)]);
});

t.test("an append looks into none", async (t) => {
  for (const call of [
    "append_event('now-1', 'T')",
    "append_event('new-1', 'T')",
    `append('now-1', '[{"type": "T"}, {"type": "T"}]', 100)`,
    `append_streams('[{"stream_id": "now-1", "events": [{"type": "T"}]}, {"stream_id": "old-20-1", "expected_version": 1}]')`,
    `append_batch('[{"stream_id": "now-1", "events": [{"type": "T"}]}, {"stream_id": "new-1", "events": [{"type": "T"}]}]')`,
  ]) {
    t.same(await touched(`select * from daybook.${call}`), [], call);
  }
});

t.test("sealed partitions behind the position are left out by whoever follows the log", async (t) => {
  await seal(db);
  t.equal(await value(db, "select count(*) from daybook.partitions where state = 'sealed'"), 23);
  const open = await Promise.all([0, 1, 2, 3].map(name));
  await db.query(
    "select daybook.create_handler('every'), daybook.create_handler('new', types => '{New}'), daybook.create_handler('two', shards => 2)",
  );
  for (const call of [
    "read_all($1)",
    "read_all($1, 10)",
    "read_all($1, tenant_id => '*')",
    "read_all($1, types => '{New}')",
    "read_all($1, categories => '{now}')",
    "read_category('now', $1)",
    "read_type('New', after_position => $1)",
    "read_events_for('every', $1, daybook.horizon())",
    "read_events_for('new', $1, daybook.horizon())",
    "read_events_for('two', $1, daybook.horizon(), 500, 1, 2)",
  ]) {
    const partitions = await touched(`select * from daybook.${call}`, [lastOld]);
    t.same(
      partitions.filter((p) => !open.some((o) => o === p)),
      [],
      call,
    );
    t.ok(partitions.includes(await name(0)), `${call}: where the events are`);
  }
  for (const call of ["due_consumers($1, daybook.horizon())", "move_idle_consumers($1, daybook.horizon())"]) {
    t.same(
      (await touched(`select * from daybook.${call}`, [lastOld])).filter((p) => !open.some((o) => o === p)),
      [],
      call,
    );
  }
  t.equal(await value(db, "select count(*) from daybook.read_all($1)", [lastOld]), 100);
  t.equal(
    await value(db, "select count(*) from daybook.read_all()"),
    24 * 3 + 2 + 100,
    "and none is lost from the beginning",
  );
});

t.test("by type since a moment: only partitions from then on", async (t) => {
  const since = new Set(await Promise.all(months.filter((n) => n < -2).map(name)));
  t.same(
    (await touched(`select * from daybook.read_type('Old', ${month(-2)})`)).filter((p) => since.has(p)),
    [],
  );
  t.equal(await value(db, `select count(*) from daybook.read_type('Old', ${month(-2)})`), 3 * 3);
});
