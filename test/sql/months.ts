import { column, type Queryable, type Row, rows, value } from "./support.ts";

/** The first moment of the month that is n months from now, in UTC: an SQL expression. */
export const month = (n: number): string =>
  `(date_trunc('month', now(), 'UTC') at time zone 'UTC' + interval '${n} months') at time zone 'UTC'`;
/** The partitions as the view shows them, in order. */
export const states = (db: Queryable): Promise<Row[]> =>
  rows(db, "select partition, state, passed, last_position from daybook.partitions order by range_from");
/** The name of that month's partition. */
export const nameOf = (db: Queryable, n: number): Promise<unknown> =>
  value(db, `select 'event_log_' || to_char(${month(n)} at time zone 'UTC', 'YYYY_MM')`);

/** A store that knows the partitions of these months alone, as one has that nobody kept up. */
export async function onlyMonths(db: Queryable, months: number[]): Promise<void> {
  for (const partition of await column(
    db,
    "select inhrelid::regclass::text from pg_inherits where inhparent = 'daybook.event_log'::regclass",
  )) {
    await db.query(`drop table ${partition}`);
  }
  await db.query(`
    delete from daybook.stream_heads; delete from daybook.event_partitions;
    select daybook._set_constant('_writable_from', 'timestamptz', 'infinity'), daybook._set_constant('_writable_until', 'timestamptz', '-infinity')`);
  for (const n of months) await db.query(`select daybook._make_partition(${month(n)})`);
  if (months.length > 0) {
    await db.query(`
      select daybook._set_constant('_writable_from', 'timestamptz', (select min(range_from)::text from daybook.event_partitions)),
             daybook._set_constant('_writable_until', 'timestamptz', (select max(range_to)::text from daybook.event_partitions))`);
  }
}

/** Writes an event as of another month, past the append functions: only the clock could make them do it. */
export async function writeIn(db: Queryable, n: number, stream: string): Promise<number> {
  return Number(
    await value(
      db,
      `with head as (
         insert into daybook.stream_heads (tenant_id, stream_id, version, first_recorded_at, last_recorded_at)
         values ('default', $1, 1, ${month(n)}, ${month(n)} + interval '1 day') returning stream_key)
       insert into daybook.event_log (position, stream_key, version, recorded_at, schema_version, event_id, tenant_id, category, type, data)
       select nextval('daybook.positions'), stream_key, 1, ${month(n)} + interval '1 hour', 1, daybook.uuid_v7(), 'default', split_part($1, '-', 1), 'Old', '{}' from head
       returning position`,
      [stream],
    ),
  );
}

/**
 * Seals what is past, a transaction a step; the states that all partitions went through. Three steps do, unless somebody
 * (autovacuum, say) is in a transaction just then.
 */
export async function seal(db: Queryable): Promise<string[]> {
  const seen: string[] = [];
  for (let n = 0; n < 200; n++) {
    const now = (await states(db)).map((p) => String(p.state));
    if (now.join() !== seen.at(-1)) seen.push(now.join());
    if (!now.some((state) => state === "past" || state === "sealing")) break;
    await db.query("select from daybook.seal_partitions()");
    if (n > 3) await db.query("select pg_sleep(0.05)");
  }
  return seen;
}
