import { z } from "zod";
import type { Db } from "../db.ts";
import { eventColumns, type LogFilter, type Page, readLogPage, readPage } from "./events.ts";

/** Which events to read. */
export interface Selection extends LogFilter {
  /** Version of the stream, or position in the log, of the first. */
  readonly from: bigint | undefined;
  readonly backwards: boolean;
  /** Recorded at or after this moment. */
  readonly since: string | undefined;
}

const largest = 9_223_372_036_854_775_807n;
const pageSize = 1000;

/** How many events to ask for when so many are still wanted: where not all that is read is printed, whole pages. */
function sizeFor(wanted: number, isFiltered: boolean): number {
  return isFiltered ? pageSize : Math.min(wanted, pageSize);
}

/**
 * The events of a stream, in pages.
 *
 * @param wanted tells how many are still to be printed
 */
export async function* streamPages(
  db: Db,
  stream: string,
  { tenant, types, from, backwards, since }: Selection,
  wanted: () => number,
): AsyncGenerator<Page> {
  const isFiltered = types !== undefined || since !== undefined;
  let next = from ?? (backwards ? largest : 1n);
  while (wanted() > 0) {
    const size = sizeFor(wanted(), isFiltered);
    const page = await readPage(
      db,
      "daybook.read_stream($1, from_version => $2, max_count => $3, backwards => $4, tenant_id => $5)",
      "($6::text[] is null or e.type = any ($6)) and ($7::timestamptz is null or e.recorded_at >= $7::timestamptz)",
      [stream, next, size, backwards, tenant, types ?? null, since ?? null],
    );
    yield page;
    if (page.length < size || page.lastVersion === undefined) return;
    // backwards everything that follows is older still
    if (backwards && since !== undefined && page.lines.length === 0 && types === undefined) return;
    next = page.lastVersion + (backwards ? -1n : 1n);
    if (next === 0n) return;
  }
}

/** The events of the log from a position on, in pages. */
export async function* logPages(db: Db, selection: Selection, wanted: () => number): AsyncGenerator<Page> {
  const { from = 1n, since } = selection;
  const start = since === undefined ? from : await firstSince(db, since, from);
  let after = start > 0n ? start - 1n : 0n;
  while (wanted() > 0) {
    const size = sizeFor(wanted(), since !== undefined);
    const page = await readLogPage(db, selection, after, size, since);
    yield page;
    if (page.length < size || page.lastPosition === undefined) return;
    after = page.lastPosition;
  }
}

const positionRow = z.array(z.object({ position: z.bigint() }));

/** The first position recorded since a moment, or from if that comes later. */
async function firstSince(db: Db, since: string, from: bigint): Promise<bigint> {
  const [row] = positionRow.parse(
    await db.query(
      `select coalesce(min(e.position), $2::bigint) as position
         from daybook.event_log e where e.recorded_at >= $1 and e.position >= $2`,
      [since, from],
    ),
  );
  return row?.position ?? from;
}

const backwardsText = `
  select e.position, row_to_json(r)::text as line
    from daybook.events e
   cross join lateral (select ${eventColumns}) r
   where e.position <= $1
     and ($3::text[] is null or e.type = any ($3))
     and ($4::text[] is null or e.category = any ($4))
     and ($5::text[] is null or e.tenant_id = any ($5))
     and ($6::timestamptz is null or e.recorded_at >= $6)
   order by e.position desc
   limit $2`;
const backwardsRows = z.array(z.object({ position: z.bigint(), line: z.string() }));
const startRow = z.array(z.object({ horizon: z.bigint(), tenants: z.array(z.string()).nullable() }));

/** The events of the log from the horizon, or a position, back to the beginning, in pages. */
export async function* logPagesBackwards(db: Db, selection: Selection, wanted: () => number): AsyncGenerator<Page> {
  const { tenant, types = null, categories = null, since = null, from = largest } = selection;
  const [start] = startRow.parse(
    await db.query(
      `select daybook.horizon() as horizon,
              case when $1 = '*' then daybook.visible_tenants() else array[daybook._tenant($1)] end as tenants`,
      [tenant],
    ),
  );
  let last = start && start.horizon < from ? start.horizon : from;
  while (wanted() > 0) {
    const size = sizeFor(wanted(), false);
    const values = [last, size, types, categories, start?.tenants ?? null, since];
    const rows = backwardsRows.parse(await db.query(backwardsText, values));
    const lastPosition = rows.at(-1)?.position;
    yield { lines: rows.map(({ line }) => line), length: rows.length, lastPosition, lastVersion: undefined };
    if (rows.length < size || lastPosition === undefined) return;
    last = lastPosition - 1n;
  }
}
