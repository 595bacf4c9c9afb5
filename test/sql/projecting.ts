import { type Queryable, type Row, row, rows, value } from "./support.ts";

/**
 * Apply functions of tests: `app.sums` adds up amounts by stream, a batch at a time and in key order; `app.journal` takes
 * one event at a time and minds their order (a running total of a stream, each row with what was before it); `app.picky`
 * fails on events whose data say so.
 */
const functions = `
  create schema app;
  grant usage on schema app to public;
  create function app.sums(events daybook.event[]) returns void language plpgsql as $$ begin
    insert into sums as s (tenant_id, stream_id, n, total)
    select e.tenant_id, e.stream_id, count(*), coalesce(sum((e.data ->> 'amount')::bigint), 0)
      from unnest(events) e group by 1, 2 order by 1, 2
    on conflict (tenant_id, stream_id) do update set n = s.n + excluded.n, total = s.total + excluded.total;
  end $$;
  create function app.journal(event daybook.event) returns void language plpgsql as $$ begin
    insert into journal (position, stream_id, version, before)
    values (event.position, event.stream_id, event.version,
            coalesce((select max(j.version) from journal j where j.stream_id = event.stream_id), 0));
  end $$;
  create function app.picky(events daybook.event[]) returns void language plpgsql as $$ begin
    if exists (select from unnest(events) e where e.data ? 'fail') then
      raise exception 'cannot take it' using errcode = 'P0042', detail = 'for good';
    end if;
    insert into picky (position, stream_id) select e.position, e.stream_id from unnest(events) e;
  end $$;`;

export const sums =
  "tenant_id text, stream_id text, n bigint not null, total bigint not null, primary key (tenant_id, stream_id)";
export const journal =
  "position bigint primary key, stream_id text not null, version bigint not null, before bigint not null";
export const picky = "position bigint primary key, stream_id text not null";

export async function createFunctions(owner: Queryable): Promise<void> {
  await owner.query(functions);
}

/** `create_projection` with one table of the projection's own name, whose columns are those of `apply`'s. */
export function create(db: Queryable, name: string, apply: string, options: string = ""): Promise<unknown> {
  const columns = { sums, journal, picky }[apply] ?? apply;
  return value(db, `select daybook.create_projection($1, $2, jsonb_build_object($3::text, $4::text)${options})`, [
    name,
    `app.${apply}`,
    apply,
    columns,
  ]);
}

export interface Advanced {
  readonly handled: number;
  readonly position: number;
  readonly more: boolean;
  readonly outcome: string;
}

/** One call of `advance_projection`. */
export async function advance(db: Queryable, name: string, maxCount = 1000): Promise<Advanced> {
  const [one] = await rows(db, "select * from daybook.advance_projection($1, $2)", [name, maxCount]);
  return one as unknown as Advanced;
}

/** Calls it until it has nothing more to do; the outcomes. */
export async function advanceAll(db: Queryable, name: string, maxCount = 1000): Promise<string[]> {
  const outcomes: string[] = [];
  for (;;) {
    const { more, outcome } = await advance(db, name, maxCount);
    outcomes.push(outcome);
    if (!more) return outcomes;
  }
}

export function status(db: Queryable, name: string): Promise<Row> {
  return row(db, "select * from daybook.projections where name = $1", [name]);
}

/** What `sums` must hold: a fold of the whole log, of some types or all. */
export function foldedSums(db: Queryable, types: string[] | null = null): Promise<Row[]> {
  return rows(
    db,
    `select tenant_id, stream_id, count(*) as n, coalesce(sum((data ->> 'amount')::bigint), 0)::bigint as total
       from daybook.events where $1::text[] is null or type = any ($1) group by 1, 2 order by 1, 2`,
    [types],
  );
}

export function readSums(db: Queryable): Promise<Row[]> {
  return rows(db, "select * from daybook_projections.sums order by tenant_id, stream_id");
}

/** Appends events to streams `<category>-<i>`, one after the other. */
export async function append(
  db: Queryable,
  category: string,
  count: number,
  data = "{}",
  type = "Added",
): Promise<void> {
  await db.query(
    `select daybook.append_event($1 || '-' || (i % 5), $4, $3::jsonb || jsonb_build_object('amount', i)) from generate_series(1, $2) i`,
    [category, count, data, type],
  );
}
