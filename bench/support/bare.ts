import pg from "pg";

/**
 * The yardstick: a table with the columns, the indexes and the partitions of the log, and nothing else. No trigger, no
 * stream, no version, no function.
 *
 * @param url a database with Daybook in it
 */
export async function createBareTable(url: string): Promise<void> {
  const client = new pg.Client(url);
  await client.connect();
  try {
    await client.query(`
      create schema bare;
      create sequence bare.positions;
      create table bare.events (like daybook.event_log including all) partition by range (recorded_at);
      do $$
      declare
        p daybook.event_partitions;
      begin
        for p in select * from daybook.event_partitions loop
          execute format('create table bare.%I (like bare.events including all)', p.partition_name);
          execute format('alter table bare.events attach partition bare.%I for values from (%L) to (%L)', p.partition_name, p.range_from, p.range_to);
        end loop;
      end $$;`);
  } finally {
    await client.end();
  }
}

/** The columns a bare INSERT fills: those that an append without ids and tags fills. */
export const bareColumns =
  "position, stream_key, version, recorded_at, schema_version, event_id, tenant_id, category, type, data";

/**
 * One row of a bare INSERT; parameters: stream key, type, data. Its version is its position: as in the log, no two rows
 * of a stream have the same (an index on equal keys is a smaller one, and would be another yardstick).
 */
export const bareRow = (key: string, type: string, data: string) =>
  `(nextval('bare.positions'), ${key}::bigint, currval('bare.positions'), clock_timestamp(), 1, daybook.uuid_v7(), 'default', 'account', ${type}::text, ${data}::jsonb)`;
