import { z } from "zod";
import type { Db } from "../db.ts";
import { type Column, numberColumn, timeColumn } from "./table.ts";

/*
 * Events are read through the SQL functions and printed as the database writes them, to the digit and the microsecond.
 */

/** A moment in UTC, ISO 8601 with microseconds, whatever the session's time zone. */
export function utc(column: string): string {
  return `to_char(${column} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')`;
}

/** The columns of an event `e`, as they are printed. */
export const eventColumns = `e.position, e.tenant_id, e.stream_id, e.version, e.category, e.type, e.data, e.metadata,
  e.event_id, e.correlation_id, e.causation_id, e.schema_version, coalesce(e.tags, '{}') as tags,
  ${utc("e.occurred_at")} as occurred_at, ${utc("e.recorded_at")} as recorded_at`;

/** What a table shows of an event. */
export function tableColumns(tenant: string | null): readonly Column[] {
  return [
    numberColumn("position", 8),
    timeColumn("recorded_at"),
    ...(tenant === "*" ? [{ name: "tenant_id" }] : []),
    { name: "stream_id", least: 16 },
    numberColumn("version"),
    { name: "type", least: 16 },
    { name: "data", least: 24 },
  ];
}

const rowSchema = z.array(z.object({ position: z.bigint(), version: z.bigint(), line: z.string().nullable() }));

/** A page of events in order. */
export interface Page {
  /** The events asked for, each a JSON object in one line. */
  readonly lines: readonly string[];
  /** How many events were looked at; less than the size of the page: there are no more. */
  readonly length: number;
  /** Position of the last one looked at. */
  readonly lastPosition: bigint | undefined;
  /** Version of the last one looked at. */
  readonly lastVersion: bigint | undefined;
}

/**
 * Reads a page.
 *
 * @param from an expression that gives rows of daybook.event, in order
 * @param condition which of them (`e`) are asked for
 */
export async function readPage(db: Db, from: string, condition: string, values: readonly unknown[]): Promise<Page> {
  const text = `
    select e.position, e.version, case when ${condition} then row_to_json(r)::text end as line
      from ${from} with ordinality e (position, tenant_id, stream_id, version, category, type, data, metadata, event_id,
             correlation_id, causation_id, schema_version, tags, occurred_at, recorded_at, n)
     cross join lateral (select ${eventColumns}) r
     order by e.n`;
  const rows = rowSchema.parse(await db.query(text, values));
  return {
    lines: rows.flatMap(({ line }) => (line === null ? [] : [line])),
    length: rows.length,
    lastPosition: rows.at(-1)?.position,
    lastVersion: rows.at(-1)?.version,
  };
}

/** What is asked for of the log. */
export interface LogFilter {
  readonly tenant: string | null;
  readonly types: readonly string[] | undefined;
  readonly categories: readonly string[] | undefined;
}

/** A page of the log, behind a position, up to the horizon. */
export function readLogPage(db: Db, filter: LogFilter, after: bigint, count: number, since?: string): Promise<Page> {
  return readPage(
    db,
    "daybook.read_all(after_position => $1, max_count => $2, types => $3, categories => $4, tenant_id => $5)",
    "$6::timestamptz is null or e.recorded_at >= $6::timestamptz",
    [after, count, filter.types ?? null, filter.categories ?? null, filter.tenant, since ?? null],
  );
}
