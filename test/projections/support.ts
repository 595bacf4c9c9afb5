import { append, type Db, defineProjection, type Projection, type ProjectionDefinition } from "../../src/index.ts";
import type { TestDatabase } from "../support/database.ts";

/** Apply functions of tests: `app.counts` is given a batch, `app.visits` one event at a time. */
export async function applyFunctions({ pool }: Pick<TestDatabase, "pool">): Promise<void> {
  await pool.query(`
    create schema app;
    grant usage on schema app to public;
    create function app.counts(events daybook.event[]) returns void language plpgsql as $$ begin
      insert into counts as c (stream_id, events)
      select e.stream_id, count(*) from unnest(events) e group by 1 order by 1
      on conflict (stream_id) do update set events = c.events + excluded.events;
    end $$;
    create function app.visits(event daybook.event) returns void language plpgsql as $$ begin
      if event.data ? 'fail' then raise exception 'cannot take it'; end if;
      insert into visits (position, stream_id) values (event.position, event.stream_id);
    end $$`);
}

export const counts = { counts: "stream_id text primary key, events bigint not null" } as const;
export const visits = { visits: "position bigint primary key, stream_id text not null" } as const;

/** A projection in SQL that counts the events of each stream. */
export function sqlCounts(more: object = {}): Projection {
  return defineProjection({ name: "counts", apply: "app.counts", tables: counts, ...more });
}

/** The same in TypeScript, one event at a time. */
export function codeCounts(more: object = {}): Projection {
  const definition: ProjectionDefinition = {
    name: "counts",
    tables: counts,
    async handle(event, { tx }) {
      await tx.query(
        `insert into counts as c values ($1, 1)
         on conflict (stream_id) do update set events = c.events + 1`,
        [event.streamId],
      );
    },
  };
  return defineProjection({ ...definition, ...more } as ProjectionDefinition);
}

/** Appends so many events to a stream; the last position. */
export async function tell(db: Db, streamId: string, count = 1, data: object = {}): Promise<bigint> {
  const events = Array.from({ length: count }, () => ({ type: "Told", data: { ...data } }));
  return (await append(db, { streamId, events })).lastPosition;
}

/** What readers see. */
export async function seen({ pool }: Pick<TestDatabase, "pool">): Promise<Record<string, number>> {
  const { rows } = await pool.query("select stream_id, events from daybook_projections.counts order by stream_id");
  return Object.fromEntries(rows.map(({ stream_id, events }) => [stream_id, Number(events)]));
}
