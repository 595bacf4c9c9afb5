import { hostname } from "node:os";
import type { Db } from "../db.ts";
import { type OnEvent, safely } from "../waking/facts.ts";

/** That this process is there, as others see it, and whether they are. */
export interface Presence {
  /** Says it anew: the worker has another id, or the connection that says it is another one. */
  announce(id: string | undefined, listener: Db | undefined): void;
  /** The worker with this id is no more: its jobs are released. */
  leave(id: string): Promise<void>;
  /** Looks for dead workers now, and from now on. */
  sweep(): void;
  stop(): void;
}

export interface PresenceOptions {
  readonly db: Db;
  /** Schema of graphile-worker. */
  readonly schema: string;
  /** Jobs of dead workers have been released. */
  onReleased(): void;
  readonly onEvent: OnEvent | undefined;
}

/** Milliseconds between two looks for workers whose session has ended. */
const sweepInterval = 2000;

/**
 * graphile-worker takes a job from a dead process after four hours. Here each worker holds a session lock on the connection
 * that listens, and everybody looks every two seconds whether one has gone. Where a job is locked by an id that nobody knows,
 * its worker died before it could say that it was there.
 */
export function keepPresence(options: PresenceOptions): Presence {
  const { db, schema } = options;
  const tell = safely(options.onEvent);
  let isStopped = false;
  let isSweeping = false;
  /** Ids that are no more, which the database could not be told yet: their lock is held by a session that lives on. */
  const leaving = new Set<string>();

  const sweepText = `
    select d.ids, ${schema}.force_unlock_workers(d.ids)
      from (select array_agg(x.worker) as ids
              from (select s.worker from daybook.sweep_workers() s (worker)
                    union
                    select j.locked_by
                      from ${schema}.jobs j
                     where j.task_identifier like 'daybook:%'
                       and j.locked_at not between clock_timestamp() - interval '10 seconds' and clock_timestamp()
                       and not exists (select from daybook.workers w where w.worker = j.locked_by)) x) d
     where d.ids is not null`;

  async function sweep(): Promise<void> {
    if (isSweeping || isStopped) return;
    isSweeping = true;
    for (const id of leaving) await leave(id);
    try {
      const [released] = await db.query(sweepText);
      if (released === undefined) return;
      tell({ type: "workers-released", level: "warning", detail: { workers: released.ids } });
      options.onReleased();
    } catch (error) {
      tell({ type: "sweep-failed", level: "warning", error });
    } finally {
      isSweeping = false;
    }
  }

  async function leave(id: string): Promise<void> {
    leaving.add(id);
    try {
      await db.query(`select daybook.unregister_worker($1::text), ${schema}.force_unlock_workers(array[$1::text])`, [
        id,
      ]);
      leaving.delete(id);
    } catch (error) {
      tell({ type: "unregister-failed", level: "info", error });
    }
  }

  let timer: NodeJS.Timeout | undefined;
  return {
    leave,
    sweep() {
      timer ??= setInterval(sweep, sweepInterval);
      sweep();
    },
    announce(id, listener) {
      if (id === undefined || listener === undefined || isStopped) return;
      listener
        .query("select daybook.register_worker($1::text, $2::text, $3::integer)", [id, hostname(), process.pid])
        .catch((error: unknown) => tell({ type: "register-failed", level: "warning", error }));
    },
    stop() {
      isStopped = true;
      clearInterval(timer);
    },
  };
}
