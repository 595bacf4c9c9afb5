import t from "tap";
import { testDatabase } from "../support/database.ts";
import { connect, refused, row, rows, value, writesNothing } from "./support.ts";

const database = await testDatabase(t);
const db = await connect(t, database.url);
await db.query("select daybook.append_event('there-1', 'T'), daybook.append_event('there-1', 'T')");

/** Calls that are refused, by SQLSTATE. */
const cases: Record<string, string[]> = {
  YD108: [
    ...["0", "-1", "100001", "2147483647", "null"].flatMap((n) => [
      `read_stream('there-1', max_count => ${n})`,
      `read_stream('new-1', max_count => ${n})`,
      `read_all(max_count => ${n})`,
      `read_all(max_count => ${n}, types => '{T}')`,
      `read_type('T', max_count => ${n})`,
      `read_category('there', max_count => ${n})`,
      `category_streams('there', max_count => ${n})`,
      `read_streams('["there-1"]', ${n})`,
    ]),
    "read_stream('there-1', -1)",
    "read_stream('there-1', -1, backwards => true)",
    ...["-1", "null"].flatMap((p) => [
      `read_all(${p})`,
      `read_all(${p}, types => '{T}')`,
      `read_type('T', after_position => ${p})`,
      `read_category('there', ${p})`,
    ]),
    ...[
      "null",
      "[]",
      "{}",
      '"there-1"',
      "[null]",
      "[5]",
      "[true]",
      '[["there-1"]]',
      "[{}]",
      '[{"stream_id": null}]',
      '[{"stream_id": 5}]',
      '[{"stream_id": ["there-1"]}]',
      '[{"stream_id": "there-1", "from_version": -1}]',
      '[{"stream_id": "there-1", "from_version": 1.5}]',
      '[{"stream_id": "there-1", "from_version": 1e30}]',
      '[{"stream_id": "there-1", "from_version": "1"}]',
      '[{"stream_id": "there-1", "from_version": null}]',
      '["there-1", {"from_version": 1}]',
      '[{"stream_id": "there-1", "fromVersion": 1}]',
      '[{"stream_id": "there-1", "tenant_id": "other"}]',
      JSON.stringify(Array.from({ length: 1001 }, (_, i) => `a-${i}`)),
    ].map((reads) => `read_streams('${reads}')`),
    "read_streams(null)",
    "configure('no_such_setting', '1')",
    "configure('singleton', 'false')",
    "configure('', '1')",
    "configure(null, '1')",
    ...["0", "-1", "1023", "268435456", "1.5", "", "x", "99999999999"].map(
      (v) => `configure('max_event_bytes', '${v}')`,
    ),
    "configure('max_event_bytes', null)",
    ...["0", "1000001", "x"].map((v) => `configure('max_events', '${v}')`),
    ...["0", "-1 day", "0 seconds", "soon"].map((v) => `configure('idempotency_retention', '${v}')`),
    ...["0", "121", "x"].map((v) => `configure('partitions_ahead', '${v}')`),
    "ensure_partitions(-1)",
    "ensure_partitions(121)",
    "grant_tenant('no_such_role', 'a')",
    "grant_tenant(null, 'a')",
    "revoke_tenant('no_such_role', 'a')",
    "advance_checkpoint(null, 1)",
    "advance_checkpoint('', 1)",
    `advance_checkpoint('${"x".repeat(256)}', 1)`,
    "advance_checkpoint('c', null)",
    "advance_checkpoint('c', -1)",
  ],
  YD203: [
    ...["''", "'*'", "e'a\\nb'", `'${"x".repeat(256)}'`].flatMap((tenant) => [
      `read_stream('there-1', tenant_id => ${tenant})`,
      `read_type('T', tenant_id => ${tenant})`,
      `read_event('0198f0a0-0000-7000-8000-00000000000a', ${tenant})`,
      `read_streams('["there-1"]', tenant_id => ${tenant})`,
      `category_streams('there', tenant_id => ${tenant})`,
      `trace('0198f0a0-0000-7000-8000-00000000000a', ${tenant})`,
      `stream_version('there-1', ${tenant})`,
    ]),
    ...["''", "e'a\\nb'"].map((tenant) => `read_all(tenant_id => ${tenant})`),
    ...["null", "''", "e'a\\nb'", `'${"x".repeat(256)}'`].flatMap((tenant) => [
      `grant_tenant('daybook_reader', ${tenant})`,
      `revoke_tenant('daybook_reader', ${tenant})`,
    ]),
  ],
  YD403: ["advance_checkpoint('c', 3)", "advance_checkpoint('c', 9223372036854775807)"],
};

for (const [code, calls] of Object.entries(cases)) {
  t.test(code, (t) =>
    writesNothing(t, db, "all", async () => {
      for (const call of calls) {
        const name = call.length < 100 ? call : `${call.slice(0, 100)}…`;
        await refused(t, code, name, () => db.query(`select * from daybook.${call}`));
      }
    }),
  );
}

t.test("YD402: following the log under a snapshot that is older than the horizon", async (t) => {
  for (const isolation of ["repeatable read", "serializable"]) {
    for (const call of [
      "horizon()",
      "read_all()",
      "read_all(types => '{T}')",
      "read_type('T')",
      "read_category('there')",
    ]) {
      await db.query(`begin isolation level ${isolation}`);
      t.same(await refused(t, "YD402", `${call} under ${isolation}`, () => db.query(`select * from daybook.${call}`)), {
        isolation,
      });
      await db.query("rollback");
    }
    // one stream, one event, a trace: any snapshot will do
    await db.query(`begin isolation level ${isolation}`);
    t.equal((await rows(db, "select * from daybook.read_stream('there-1')")).length, 2);
    t.equal((await rows(db, `select * from daybook.read_streams('["there-1"]')`)).length, 2);
    t.equal(await value(db, "select daybook.stream_version('there-1')"), 2);
    await db.query("rollback");
  }
});

t.test("YD403: a checkpoint beyond the end of the log stops its consumer", async (t) => {
  await db.query("insert into daybook.checkpoints (consumer, position) values ('ahead', 1000)");
  const detail = await refused(t, "YD403", "checkpoint_position", () =>
    db.query("select daybook.checkpoint_position('ahead')"),
  );
  t.same(detail, { consumer: "ahead", position: 1000, last_position: 2 });
  await db.query("delete from daybook.checkpoints");
});

t.test("checkpoints move forward, never back, with the transaction of their effects", async (t) => {
  t.equal(await value(db, "select daybook.checkpoint_position('c')"), 0, "none is 0");
  t.equal(await value(db, "select daybook.advance_checkpoint('c', 2)"), 2);
  t.equal(await value(db, "select daybook.advance_checkpoint('c', 1)"), 2, "not back");
  await db.query("begin; select daybook.advance_checkpoint('d', 1); rollback");
  t.same(await row(db, "select daybook.checkpoint_position('c') as c, daybook.checkpoint_position('d') as d"), {
    c: 2,
    d: 0,
  });
});
