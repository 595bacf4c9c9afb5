import pg from "pg";

/** A store with a past, made by set-based INSERTs: what it would hold had it run for years. */
export interface History {
  /** Months back from now that have events. */
  readonly months: number;
  /** Partitions made for still older months, which stay empty. */
  readonly emptyMonths?: number;
  readonly streams: number;
  readonly eventsPerStream: number;
  /** Whether every other stream lives through all the months; the others live within one. */
  readonly spread: boolean;
}

/**
 * Fills a database with Daybook in it. Streams are named account-1, account-2, …; odd ones live within a month, even ones
 * are spread over all months (where `spread`). Past partitions are sealed, as the upkeep would have done.
 */
export async function writeHistory(url: string, history: History): Promise<void> {
  const client = new pg.Client(url);
  await client.connect();
  const { months, emptyMonths = 0, streams, eventsPerStream, spread } = history;
  await client.query(
    `select count(daybook._make_partition((date_trunc('month', now() at time zone 'UTC') - m * interval '1 month') at time zone 'UTC'))
       from generate_series(1, $1::int) m`,
    [months + emptyMonths - 1],
  );
  await client.query("set work_mem = '512MB'");
  await client.query(
    `create temp table planned as
       select s as stream_key, v as version,
              greatest(date_trunc('month', now()) - ($3::int - 1) * interval '1 month', least(now(),
                date_trunc('month', now()) - ($3::int - 1) * interval '1 month'
                + $3::int * interval '30.4 days' * (case when $4::boolean and s % 2 = 0 then (v - 1.0) / $2::int else ((s * 7919) % $1::int)::numeric / $1::int end)
                + v * interval '1 minute' + (s % 1000) * interval '1 millisecond')) as recorded_at
         from generate_series(1, $1::int) s, generate_series(1, $2::int) v`,
    [streams, eventsPerStream, months, spread],
  );
  await client.query(
    `insert into daybook.stream_heads (stream_key, tenant_id, stream_id, version, first_recorded_at, last_recorded_at)
     select p.stream_key, 'default', 'account-' || p.stream_key, max(p.version), min(p.recorded_at), max(p.recorded_at) from planned p group by 1`,
  );
  await client.query(
    `insert into daybook.event_log (position, stream_key, version, recorded_at, schema_version, event_id, tenant_id, category, type, data)
     select nextval('daybook.positions'), p.stream_key, p.version, p.recorded_at, 1, daybook.uuid_v7(), 'default', 'account',
            (array['MoneyDeposited', 'MoneyWithdrawn', 'LimitChanged'])[1 + p.version % 3],
            jsonb_build_object('amount', p.version, 'currency', 'EUR', 'note', 'a deposit at the counter')
       from (select * from planned order by recorded_at, stream_key, version) p`,
  );
  await client.query("select setval('daybook.stream_keys', $1::bigint)", [streams]);
  for (let step = 0; step < 3; step++) await client.query("select daybook.seal_partitions()");
  await client.query("vacuum (analyze, freeze)");
  await client.query("checkpoint");
  await client.end();
}
