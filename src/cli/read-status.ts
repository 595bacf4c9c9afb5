import { z } from "zod";
import type { Db } from "../db.ts";
import { checkMigrations } from "../migrate/index.ts";
import type { Session, Target } from "./database.ts";
import { isDenied } from "./failure.ts";

const serverRow = z.tuple([z.object({ server_version: z.string(), role: z.string() })]);
const logRow = z.tuple([z.object({ events: z.bigint(), last_position: z.bigint(), horizon: z.bigint() })]);
const streamsRow = z.tuple([z.object({ streams: z.bigint() })]);
const partitionsRow = z.tuple([
  z.object({ count: z.bigint(), until: z.string().nullable(), missing: z.array(z.string()) }),
]);

/** What there is to know of a database. Null: not there, or not to be seen by this role. */
export interface Status {
  /** Its URL, without the password. */
  readonly database: string;
  readonly embedded_in: string | null;
  readonly server_version: string;
  readonly role: string;
  /** Of this program. */
  readonly version: string;
  readonly installed_version: string | null;
  readonly up_to_date: boolean;
  /** A newer version has installed it. */
  readonly newer: boolean;
  readonly pending_migrations: readonly string[];
  readonly changed_objects: readonly string[];
  /** `events` as the statistics have it. */
  readonly log: z.output<typeof logRow>[0] | null;
  /** As the statistics have it. */
  readonly streams: bigint | null;
  readonly partitions: { readonly count: bigint; readonly until: string | null } | null;
  /** Months that have no partition, of this one and those that there should be ahead. */
  readonly missing_partitions: readonly string[] | null;
}

/** Reads it all. */
export async function readStatus({ db, client }: Session, target: Target, version: string): Promise<Status> {
  const [server] = serverRow.parse(await db.query(serverText));
  const check = await checkMigrations(client);
  const isThere = check.installedVersion !== null;
  const read = <T>(text: string, row: z.ZodType<[T]>) => (isThere ? readIfAllowed(db, text, row) : null);
  const streams = await read(streamsText, streamsRow);
  const partitions = await read(partitionsText, partitionsRow);
  return {
    database: target.name,
    embedded_in: target.embeddedIn,
    ...server,
    version,
    installed_version: check.installedVersion,
    up_to_date: check.upToDate,
    newer: check.newer,
    pending_migrations: check.pendingMigrations,
    changed_objects: check.changedObjects,
    log: await read(logText, logRow),
    streams: streams?.streams ?? null,
    partitions: partitions && { count: partitions.count, until: partitions.until },
    missing_partitions: partitions?.missing ?? null,
  };
}

async function readIfAllowed<T>(db: Db, text: string, row: z.ZodType<[T]>): Promise<T | null> {
  try {
    return row.parse(await db.query(text))[0];
  } catch (error) {
    if (isDenied(error)) return null;
    throw error;
  }
}

const serverText = "select current_setting('server_version') as server_version, current_user::text as role";

const logText = `
  select (select coalesce(sum(greatest(pg_stat_get_live_tuples(i.inhrelid), c.reltuples::bigint, 0)), 0)::bigint
            from pg_inherits i
            join pg_class c on c.oid = i.inhrelid
           where i.inhparent = 'daybook.event_log'::regclass and c.relkind = 'r') as events,
         coalesce(pg_sequence_last_value('daybook.positions'::regclass), 0) as last_position,
         daybook.horizon() as horizon`;

const streamsText = `
  select greatest(pg_stat_get_live_tuples(c.oid), c.reltuples::bigint, 0) as streams
    from pg_class c where c.oid = 'daybook.stream_heads'::regclass`;

const partitionsText = `
  select count(*) as count, to_char(max(p.range_to) at time zone 'UTC', 'YYYY-MM-DD') as until,
         array(
           select to_char(m.month, 'YYYY-MM')
             from daybook.settings s
            cross join generate_series(
              date_trunc('month', clock_timestamp() at time zone 'UTC'),
              date_trunc('month', clock_timestamp() at time zone 'UTC') + s.partitions_ahead * interval '1 month',
              interval '1 month') m (month)
            where not exists (
              select from daybook.event_partitions e where e.range_from = m.month at time zone 'UTC')
            order by m.month) as missing
    from daybook.event_partitions p`;
