import type pg from "pg";
import t from "tap";
import { testDatabase } from "../support/database.ts";
import { column, connect } from "./support.ts";

/*
 * A session that planned its reads while the log was small goes on with those plans until the tables are analyzed, which
 * PostgreSQL does a minute later at the earliest, and not before the end of a transaction that makes them grow. The plans
 * have to be good for a log that has grown a thousandfold meanwhile: made for tables that were never analyzed, and for
 * tables that were analyzed while they were small, which PostgreSQL takes to be as small as they are.
 */
const calls: readonly (readonly [name: string, text: string])[] = [
  ["read_all", "select * from daybook.read_all(19990, 10)"],
  ["read_all by type", "select * from daybook.read_all(19990, 10, types => '{Moved}')"],
  ["read_all by category", "select * from daybook.read_all(19990, 10, categories => '{account}')"],
  ["read_settled", "select * from daybook.read_settled(19990, 20000, 10)"],
  ["read_stream", "select * from daybook.read_stream('account-7', 1, 10)"],
  ["read_streams", `select * from daybook.read_streams('["account-7", "account-8"]', 5)`],
  ["read_event", "select * from daybook.read_event('0199c0de-0000-7000-8000-000000000007')"],
  ["trace", "select * from daybook.trace('0199c0de-0000-7000-8000-000000000008')"],
  ["append_event", "select daybook.append_event('account-9', 'Moved')"],
  ["append_event to a new stream", "select daybook.append_event(daybook.uuid_v7()::text, 'Moved')"],
  ["append", `select daybook.append('account-10', '[{"type": "Moved"}, {"type": "Moved"}]')`],
  ["append_streams", `select daybook.append_streams('[{"stream_id": "account-11", "events": [{"type": "Moved"}]}]')`],
  ["append_batch", `select daybook.append_batch('[{"stream_id": "account-12", "events": [{"type": "Moved"}]}]')`],
  ["stream_version", "select daybook.stream_version('account-7')"],
  // of the last of many streams: of an earlier one a scan would read less
  ["fold", "select daybook.fold('account-999', 'app.last')"],
  ["read_snapshot", "select * from daybook.read_snapshot('account-999', 'last', 1)"],
  [
    "save_snapshot",
    `select daybook.save_snapshot(case daybook.stream_version('account-999') when 0 then 'account-1' else 'account-999' end,
       'last', 1, 1, '{}', 'client')`,
  ],
];

for (const analyzed of [false, true]) {
  t.test(
    `plans made while the log was small${analyzed ? " and analyzed" : ""} read little once it has grown`,
    async (t) => {
      const { url } = await testDatabase(t);
      const client = await connect(t, url);
      await client.query(`create schema app;
      create function app.last(state jsonb, event daybook.event) returns jsonb language sql immutable return (event).data`);
      await client.query("select daybook.append_event('account-' || i, 'Moved') from generate_series(1, 3) i");
      if (analyzed) await client.query("vacuum analyze");
      for (const [name, text] of calls.filter(([name]) => name !== "read_settled")) {
        for (let i = 0; i < 7; i += 1) await client.query({ name, text });
      }
      await client.query(
        "select count(daybook.append_event('account-' || i % 1000, 'Moved')) from generate_series(1, 20000) i",
      );
      let before = await rowsRead(client);
      for (const [name, text] of calls) {
        await client.query({ name, text });
        const after = await rowsRead(client);
        t.ok(after - before <= 100, `${name}: ${after - before} rows read`);
        before = after;
      }
    },
  );
}

/*
 * Before PostgreSQL 18 a plan that cannot do without a sequential scan costs so much where these are off that the server
 * compiles it, which takes longer than an append: the settings have but one row, to be found in no index.
 */
t.test("whoever does without sequential scans has nothing compiled", async (t) => {
  const { pool } = await testDatabase(t);
  t.same(
    await column(
      pool,
      `select p.oid::regprocedure::text from pg_proc p
        where p.pronamespace = 'daybook'::regnamespace
          and 'enable_seqscan=off' = any (p.proconfig) and not 'jit=off' = any (p.proconfig)`,
    ),
    [],
  );
});

/** So far, by this session. */
async function rowsRead(client: pg.Client): Promise<number> {
  await client.query("select pg_stat_force_next_flush()");
  const { rows } = await client.query<{ read: string }>(
    `select coalesce(sum(s.seq_tup_read + s.idx_tup_fetch), 0) as read
       from pg_stat_all_tables s
      where s.schemaname = 'daybook' and (s.relname like 'event\\_log%' or s.relname like 'stream\\_heads%')`,
  );
  return Number(rows[0]?.read);
}
