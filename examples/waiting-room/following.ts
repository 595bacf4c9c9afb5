import { readFile } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import type pg from "pg";
import { type RabbitmqConsumer, startWorker, toDb } from "../../src/index.ts";
import { createAnnouncements, receiveArrivals } from "./announcements.ts";
import { createReadModels, type Figures, readFigures, readModels } from "./read-models.ts";
import { countDifferences } from "./read-models-check.ts";
import { visits } from "./visits.ts";

/** How far those have come who follow the log, in one run. */
export interface Followed {
  /** Patients that checked in. */
  readonly arrivals: number;
  /** Visits in the read table, written by the handler. */
  readonly visits: number;
  /** Arrivals that the board in the hall was told of, by a route. */
  readonly announced: number;
  /** Arrivals that came back from the broker; null without one. */
  readonly received: number | null;
  /** Rows of the read models that are not what the log says. Looked at in the end. */
  readonly differences: number;
}

/** A worker with the waiting room's handler, projections and routes. */
export interface Following {
  /** As of a moment ago. */
  readonly followed: Followed;
  /** What the board and the figures say, as of a moment ago; undefined before they were looked at. */
  readonly figures: Figures | undefined;
  /** Waits until everything that was appended has come through, for ten seconds at most. */
  settle(): Promise<Followed>;
  stop(): Promise<void>;
}

/** How often the counts are looked up while the clinic is open, and when it has closed, in milliseconds. */
const pause = { open: 500, closed: 50 };
const patience = 10_000;

/** Starts a worker, and a consumer of the broker where there is one. */
export async function startFollowing(
  pool: pg.Pool,
  input: { directUrl: string; brokerUrl: string | undefined; run: string; rooms: readonly string[] },
): Promise<Following> {
  const { directUrl, brokerUrl, run, rooms } = input;
  await pool.query(await readFile(new URL("schema.sql", import.meta.url), "utf8"));
  await createReadModels(pool);
  const announcements = createAnnouncements(brokerUrl);
  let consumer: RabbitmqConsumer | undefined;
  if (brokerUrl !== undefined) consumer = await receiveArrivals(toDb(pool), brokerUrl);
  const { routes, transports } = announcements;
  const worker = await startWorker({
    db: pool,
    directUrl,
    handlers: [visits],
    projections: readModels,
    routes,
    transports,
  });

  let followed: Followed = { arrivals: 0, visits: 0, announced: 0, received: consumer ? 0 : null, differences: 0 };
  let figures: Figures | undefined;
  async function look(): Promise<Followed> {
    const { rows } = await pool.query(counts, [run]);
    const { arrivals, visits, received } = rows[0];
    followed = {
      arrivals,
      visits,
      announced: announcements.shown(run),
      received: consumer ? received : null,
      differences: 0,
    };
    return followed;
  }
  const show = async () => {
    await look();
    figures = await readFigures(pool, rooms);
  };
  const timer = setInterval(() => void show().catch(() => undefined), pause.open);

  return {
    get followed() {
      return followed;
    },
    get figures() {
      return figures;
    },
    async settle() {
      clearInterval(timer);
      for (const end = performance.now() + patience; ; await sleep(pause.closed)) {
        if (missing(await look()) === 0) followed = { ...followed, differences: await countDifferences(pool) };
        if ((missing(followed) === 0 && followed.differences === 0) || performance.now() > end) return followed;
      }
    },
    async stop() {
      clearInterval(timer);
      await worker.stop();
      await consumer?.stop();
      for (const transport of transports) await transport.close();
    },
  };
}

const counts = `
  select (select count(*)::int from daybook.events e
           where e.category = 'waiting_room' and e.type = 'PatientCheckedIn' and e.metadata ->> 'run' = $1) as arrivals,
         (select count(*)::int from waiting_room.visits v where v.run = $1) as visits,
         (select count(*)::int from waiting_room.arrivals a where a.run = $1) as received`;

/** Arrivals that have not come through somewhere. */
export function missing({ arrivals, visits, announced, received }: Followed): number {
  return [visits, announced, received ?? arrivals].reduce((sum, count) => sum + Math.abs(arrivals - count), 0);
}
