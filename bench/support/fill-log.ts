import pg from "pg";

/** Events in a statement: what a long log is made of without much memory. */
const atOnce = 250_000;

/** A log that is made longer, step by step. */
export interface FilledLog {
  /** Appends so many more events, a multiple of the streams: each stream gets as many, in turns of random order. */
  fill(events: number): Promise<void>;
}

/**
 * Makes streams `account-1`, `account-2`, … in a database with nothing but Daybook in it, and fills its log straight, as
 * its owner: a million events in seconds. They are all of this month, each MoneyDeposited with an amount.
 */
export async function filledLog(url: string, streams: number): Promise<FilledLog> {
  let version = 0;
  const client = new pg.Client(url);
  await client.connect();
  await client.query(
    `insert into daybook.stream_heads (stream_key, tenant_id, stream_id, version, first_recorded_at, last_recorded_at)
     select s, 'default', 'account-' || s, 0, clock_timestamp(), clock_timestamp() from generate_series(1, $1::int) s`,
    [streams],
  );
  await client.query("select setval('daybook.stream_keys', $1::bigint)", [streams]);
  await client.end();

  return {
    async fill(events) {
      const client = new pg.Client(url);
      await client.connect();
      for (let left = Math.floor(events / streams); left > 0; ) {
        const turns = Math.min(left, Math.max(1, Math.floor(atOnce / streams)));
        await client.query(
          `insert into daybook.event_log (position, stream_key, version, recorded_at, schema_version, event_id, tenant_id, category, type, data)
           select nextval('daybook.positions'), p.s, p.v, clock_timestamp(), 1, daybook.uuid_v7(), 'default', 'account', 'MoneyDeposited',
                  jsonb_build_object('amount', p.v, 'currency', 'EUR', 'note', 'a deposit at the counter')
             from (select s, v from generate_series(1, $1::int) s, generate_series($2::int + 1, $2::int + $3::int) v order by v, random()) p`,
          [streams, version, turns],
        );
        version += turns;
        left -= turns;
      }
      await client.query("update daybook.stream_heads h set version = $1, last_recorded_at = clock_timestamp()", [
        version,
      ]);
      await client.query("vacuum (analyze) daybook.event_log, daybook.stream_heads");
      await client.query("checkpoint");
      await client.end();
    },
  };
}
