import t from "tap";
import { testDatabase } from "../support/database.ts";
import { connect } from "./support.ts";

/*
 * A session that planned its reads while the log was small goes on with those plans until the tables are analyzed, which
 * PostgreSQL does a minute later at the earliest. They have to be good for a log that has grown a thousandfold meanwhile.
 */
const reads: readonly (readonly [name: string, text: string])[] = [
  ["read_all", "select * from daybook.read_all(19990, 10)"],
  ["read_all by type", "select * from daybook.read_all(19990, 10, types => '{Moved}')"],
  ["read_all by category", "select * from daybook.read_all(19990, 10, categories => '{account}')"],
  ["read_settled", "select * from daybook.read_settled(19990, 20000, 10)"],
  ["read_stream", "select * from daybook.read_stream('account-7', 1, 10)"],
  ["read_streams", `select * from daybook.read_streams('["account-7", "account-8"]', 5)`],
  ["read_event", "select * from daybook.read_event('0199c0de-0000-7000-8000-000000000007')"],
  ["trace", "select * from daybook.trace('0199c0de-0000-7000-8000-000000000008')"],
  ["append_event", "select daybook.append_event('account-9', 'Moved')"],
];

t.test("plans made while the log was small read little once it has grown", async (t) => {
  const { url } = await testDatabase(t);
  const client = await connect(t, url);
  await client.query("select daybook.append_event('account-' || i, 'Moved') from generate_series(1, 3) i");
  for (const [name, text] of reads.filter(([name]) => name !== "read_settled")) {
    for (let i = 0; i < 7; i += 1) await client.query({ name, text });
  }
  await client.query(
    "select count(daybook.append_event('account-' || i % 1000, 'Moved')) from generate_series(1, 20000) i",
  );
  let before = await rowsRead();
  for (const [name, text] of reads) {
    await client.query({ name, text });
    const after = await rowsRead();
    t.ok(after - before <= 100, `${name}: ${after - before} rows read`);
    before = after;
  }

  /** So far, by this session. */
  async function rowsRead(): Promise<number> {
    await client.query("select pg_stat_force_next_flush()");
    const { rows } = await client.query<{ read: string }>(
      `select coalesce(sum(s.seq_tup_read + s.idx_tup_fetch), 0) as read
         from pg_stat_all_tables s
        where s.schemaname = 'daybook' and (s.relname like 'event\\_log%' or s.relname like 'stream\\_heads%')`,
    );
    return Number(rows[0]?.read);
  }
});
