import { setTimeout as sleep } from "node:timers/promises";
import type { Test } from "tap";
import type { TechnicalFact } from "../../src/waking/facts.ts";
import { createWatch } from "../../src/waking/watch.ts";
import type { Watch, WatchOptions } from "../../src/waking/watch-types.ts";
import type { TestDatabase } from "../support/database.ts";

/** A watch whose horizon can be waited for. */
export interface Watched {
  readonly watch: Watch;
  readonly facts: readonly TechnicalFact[];
  /** Milliseconds until the watch has told of a position. */
  until(position: bigint, most?: number): Promise<number>;
  /** Waits until its session sleeps, or rides. */
  asleep(): Promise<void>;
}

export async function watched(t: Test, database: TestDatabase, options: Partial<WatchOptions> = {}): Promise<Watched> {
  const watch = createWatch({
    db: database.db,
    connection: { connectionString: database.url, application_name: `watch-${Math.random()}` },
    safetyPoll: 60_000,
    ...options,
  });
  t.teardown(() => watch.stop());
  const facts: TechnicalFact[] = [];
  let horizon = -1n;
  const waiting = new Set<() => void>();
  watch.follow({
    onHorizon(position) {
      horizon = position;
      for (const check of waiting) check();
    },
    onEvent: (fact) => facts.push(fact),
  });
  return {
    watch,
    facts,
    async until(position, most = 5000) {
      const began = performance.now();
      await new Promise<void>((resolve, reject) => {
        const timer = setTimeout(() => reject(new Error(`${position} was not seen in ${most} ms`)), most);
        const check = () => {
          if (horizon < position) return;
          clearTimeout(timer);
          waiting.delete(check);
          resolve();
        };
        waiting.add(check);
        check();
      });
      return performance.now() - began;
    },
    async asleep() {
      await eventually(async () => (await sleepers(database)) > 0);
    },
  };
}

/** How many sessions sleep or ride in a database. */
export async function sleepers(database: TestDatabase): Promise<number> {
  const { rows } = await database.pool.query(
    `select count(*)::integer as count from pg_locks l
      where l.locktype = 'advisory' and l.classid = 1145196366::oid
        and l.database = (select oid from pg_database where datname = current_database())
        and ((l.objid = 0 and l.mode = 'ExclusiveLock') or l.objid = 1)`,
  );
  return rows[0].count;
}

/** Appends an event and returns its position. */
export async function append(database: TestDatabase, stream = "watched-1"): Promise<bigint> {
  const { rows } = await database.pool.query("select last_position from daybook.append_event($1, 'Tested')", [stream]);
  return BigInt(rows[0].last_position);
}

/** Waits for a condition. */
export async function eventually(condition: () => Promise<boolean> | boolean, most = 10_000): Promise<void> {
  const began = performance.now();
  while (!(await condition())) {
    if (performance.now() - began > most) throw new Error(`it did not come true in ${most} ms: ${condition}`);
    await sleep(5);
  }
}
