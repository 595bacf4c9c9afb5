import { month, onlyMonths } from "./months.ts";
import { column, type Queryable } from "./support.ts";

/** Months that a long-lived stream has events in: one without any, and none before its first. */
export const months = [-5, -4, -3, -1, 0];
/** Events of each of them: with a hundred events in a step, steps and months end at different versions. */
export const perMonth = 70;

/**
 * A store with partitions of eight months, and streams that have lived through some of them, past the append functions:
 * only the clock could make those do it. Their events lie between each other's.
 */
export async function longLived(db: Queryable, streams: readonly string[]): Promise<void> {
  await onlyMonths(db, [-6, -5, -4, -3, -2, -1, 0, 1]);
  for (const n of months)
    for (const part of [0, 1])
      for (const stream of streams) await liveThrough(db, n, stream, part * (perMonth / 2), perMonth / 2);
  await db.query("analyze");
}

async function liveThrough(db: Queryable, n: number, stream: string, from: number, count: number): Promise<void> {
  // the first event of a month is of its first moment
  const at = (number: string) => `${month(n)} + interval '1 second' * (${number})`;
  await db.query(
    `with head as (
       insert into daybook.stream_heads as h (tenant_id, stream_id, version, first_recorded_at, last_recorded_at)
       values ('default', $1, $3::integer, ${at("$2::integer")}, ${at("$2::integer + $3::integer - 1")})
       on conflict (tenant_id, stream_id) do update
          set version = h.version + excluded.version, last_recorded_at = excluded.last_recorded_at
       returning h.stream_key, h.version - $3::integer as before)
     insert into daybook.event_log (position, stream_key, version, recorded_at, schema_version, event_id, tenant_id, category, type, data)
     select nextval('daybook.positions'), stream_key, before + i, ${at("$2::integer + i - 1")}, 1, daybook.uuid_v7(), 'default',
            split_part($1, '-', 1), 'Added', jsonb_build_object('n', before + i)
       from head, generate_series(1, $3::integer) i`,
    [stream, from, count],
  );
}

/** Moments at which it is worth asking: around the borders of months, and at events within them. */
export async function moments(db: Queryable, stream: string): Promise<string[]> {
  const found = await column(
    db,
    `select distinct moment::text as moment
       from (select e.recorded_at + d as moment
               from daybook.events e, unnest('{0,-1 microsecond,1 microsecond}'::interval[]) d
              where e.stream_id = $1 and e.version % 35 in (0, 1, 17)
             union all
             select ${month(-6)} union all select ${month(-2)} union all select now()) m`,
    [stream],
  );
  return found.map(String);
}
