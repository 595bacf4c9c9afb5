import { readFile } from "node:fs/promises";
import type pg from "pg";
import { defineProjection, registerProjection } from "../../src/index.ts";
import { category, roomStream } from "./domain.ts";

/*
 * What readers are shown, as projections: their apply functions are in schema.sql. The queue is kept by the appends
 * themselves, so nobody is called who is no longer on the board; the other two follow.
 */

const common = { schema: "waiting_room", subscribesTo: { categories: [category] } } as const;

export const readModels = [
  defineProjection({
    ...common,
    name: "queue",
    mode: "inline",
    apply: "waiting_room.apply_queue",
    tables: {
      queue: `visit_id uuid primary key, patient_id text not null, room text not null, priority text not null,
              since timestamptz not null, came bigint not null`,
    },
    setup: "create index on queue (room)",
  }),
  defineProjection({
    ...common,
    name: "waiting-patients",
    apply: "waiting_room.apply_waiting_patients",
    tables: {
      waiting_patients: `visit_id uuid primary key, patient_id text not null, room text not null, priority text not null,
                         stage text not null, desk text, since timestamptz not null`,
    },
  }),
  defineProjection({
    ...common,
    name: "daily-figures",
    apply: "waiting_room.apply_daily_figures",
    tables: {
      daily_figures: `room text primary key, arrived integer not null, called integer not null, attended integer not null,
                      gave_up integer not null, waited interval not null`,
      waiting_since: "visit_id uuid primary key, since timestamptz not null",
    },
  }),
];

/** Makes them, and what rests on them. */
export async function createReadModels(pool: pg.Pool): Promise<void> {
  for (const readModel of readModels) await registerProjection(pool, readModel);
  await pool.query(await readFile(new URL("board.sql", import.meta.url), "utf8"));
}

/** What the board and the figures say now. */
export interface Figures {
  readonly waiting: number;
  /** Seconds that the one who has waited longest has waited; null = nobody waits. */
  readonly longest: number | null;
  /** Patients who are in the rooms, by how far they are. */
  readonly present: { readonly called: number; readonly attended: number };
  /** Today, in all rooms. */
  readonly arrived: number;
  readonly called: number;
  readonly gaveUp: number;
}

export async function readFigures(pool: pg.Pool, rooms: readonly string[]): Promise<Figures> {
  const today = rooms.map((room) => roomStream(room, new Date()));
  const { rows } = await pool.query(
    `select b.waiting, b.longest, p.present, f.*
       from (select count(*)::integer as waiting, extract(epoch from clock_timestamp() - min(since))::double precision as longest
               from waiting_room.board where room = any ($1)) b
      cross join (select jsonb_build_object('called', count(*) filter (where stage = 'called'),
                                            'attended', count(*) filter (where stage = 'attended')) as present
                    from waiting_room.waiting_patients where room = any ($1)) p
      cross join (select coalesce(sum(arrived), 0)::integer as arrived, coalesce(sum(called), 0)::integer as called,
                         coalesce(sum(gave_up), 0)::integer as "gaveUp"
                    from waiting_room.daily_figures where room = any ($1)) f`,
    [today],
  );
  return rows[0];
}
