import type pg from "pg";
import { advanceProjection, projectionStatus } from "../../src/index.ts";

/*
 * The projections of the bench: events and amounts of each account, by key. The same logic for a batch at once, for one
 * event at a time, and in bench/project/rebuild.ts in TypeScript.
 */
const functions = `
  create schema bench;
  grant usage on schema bench to public;
  create function bench.totals(events daybook.event[]) returns void language plpgsql as $$ begin
    insert into totals as t (account, events, amount)
    select e.stream_id, count(*), sum((e.data ->> 'amount')::bigint) from unnest(events) e group by 1 order by 1
    on conflict (account) do update set events = t.events + excluded.events, amount = t.amount + excluded.amount;
  end $$;
  create function bench.each_total(event daybook.event) returns void language plpgsql as $$ begin
    insert into totals as t (account, events, amount) values (event.stream_id, 1, (event.data ->> 'amount')::bigint)
    on conflict (account) do update set events = t.events + excluded.events, amount = t.amount + excluded.amount;
  end $$;`;

/** Columns of the table that each of them writes, `totals`. */
export const totalsColumns = "account text primary key, events bigint not null, amount bigint not null";

/** Room for updates in place, as a table that is written all the time is given. */
export const totalsSetup = "alter table totals set (fillfactor = 50)";

/** Makes the apply functions `bench.totals` (a batch at once) and `bench.each_total` (one event at a time). */
export async function createApplyFunctions(pool: pg.Pool): Promise<void> {
  await pool.query(functions);
}

/** Which projection is made of one of them. */
export interface TotalsProjection {
  readonly name: string;
  readonly apply: "bench.totals" | "bench.each_total";
  readonly mode?: "async" | "inline";
  /** All unless said otherwise. */
  readonly types?: readonly string[];
}

/**
 * Makes it, and, if it is to be inline, waits until it is. Its view is in a schema of its own, `views_<name>`, so that there
 * may be several.
 */
export async function createTotals(pool: pg.Pool, projection: TotalsProjection): Promise<void> {
  const { name, apply, mode = "async", types = null } = projection;
  const views = `views_${name}`;
  await pool.query(`create schema ${views}; grant usage, create on schema ${views} to daybook_projector`);
  await pool.query(
    `select daybook.create_projection($1::text, $2::text, jsonb_build_object('totals', $3::text), mode => $4::text,
              schema => $5::text, setup => $6::text, types => $7::text[])`,
    [name, apply, totalsColumns, mode, views, totalsSetup, types],
  );
  while (mode === "inline" && (await projectionStatus(pool, { name }))[0]?.state !== "inline")
    await advanceProjection(pool, { name });
}
