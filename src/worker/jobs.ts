import { EventEmitter } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { Logger, parseCronItems, type Runner, run, type TaskList, type WorkerPool } from "graphile-worker";
import type pg from "pg";
import { type OnEvent, safely } from "../waking/facts.ts";
import { createBackoff, createPause } from "../waking/pause.ts";

/** graphile-worker, kept running. */
export interface Jobs {
  /** Id of its pool, under which jobs are locked; undefined while it does not run. */
  readonly id: string | undefined;
  /** Jobs have been made: whoever is idle takes one. */
  nudge(count: number): void;
  /** Takes no more jobs, and waits for those that run. */
  stop(): Promise<void>;
}

export interface JobsOptions {
  readonly pool: pg.Pool;
  readonly schema: string;
  readonly concurrency: number;
  readonly tasks: TaskList;
  /** Task and cron pattern. */
  readonly cron: readonly { readonly task: string; readonly match: string }[];
  readonly prepare: boolean;
  readonly onEvent: OnEvent | undefined;
  /** It runs under another id from now on; undefined = it has ended. */
  onId(id: string | undefined, before: string | undefined): void;
}

/** Milliseconds between two looks for jobs that nobody has nudged it for, such as those of its cron. */
const pollInterval = 2000;

/**
 * Runs graphile-worker, and runs it again when it has ended by itself, as it does where it could not say that a job is
 * done. Its first start is awaited.
 *
 * @throws what the first start fails with
 */
export async function runJobs(options: JobsOptions): Promise<Jobs> {
  const tell = safely(options.onEvent);
  const delays = createBackoff(200, 5000, 0.2);
  const pause = createPause();
  let pool: WorkerPool | undefined;
  let runner: Runner | undefined;
  /** The pool of the runner has ended; its own promise stays open for ever where there is no cron. */
  let ended: Promise<void> | undefined;
  let isStopping = false;
  /** The runner ends, and with it its questions. */
  let isEnding = false;
  const jobPool = hushed(options.pool, () => isEnding);

  async function start(): Promise<void> {
    const events = new EventEmitter();
    isEnding = isStopping;
    restartUntilAnswered(events);
    ended = new Promise((resolve) => events.once("pool:release", () => resolve()));
    events.on("pool:create", ({ workerPool }: { workerPool: WorkerPool }) => {
      const before = pool?.id;
      pool = workerPool;
      options.onId(workerPool.id, before);
    });
    runner = await run({
      pgPool: jobPool,
      schema: options.schema,
      concurrency: options.concurrency,
      pollInterval,
      noHandleSignals: true,
      noPreparedStatements: !options.prepare,
      taskList: options.tasks,
      parsedCronItems: parseCronItems(options.cron.map((item) => ({ ...item, options: { maxAttempts: 3 } }))),
      logger: loggerFor(options.onEvent),
      events,
      // so that "this job is done" is tried again, and its failure is not an unhandled rejection
      preset: { worker: { completeJobBatchDelay: 0, failJobBatchDelay: 0 } },
    });
  }

  /**
   * graphile-worker asks once for the ids of its tasks, and keeps the answer even where it is that the connection was
   * lost: from then on it takes no job. One that has failed before its first answer is ended, to be begun anew.
   */
  function restartUntilAnswered(events: EventEmitter): void {
    let isSettled = false;
    const settle = () => {
      isSettled = true;
    };
    events.on("job:start", settle).on("worker:getJob:empty", settle);
    events.on("worker:getJob:error", () => {
      if (isSettled) return;
      settle();
      isEnding = true;
      setTimeout(() => runner?.stop().catch(() => undefined), 100);
    });
  }

  async function supervise(): Promise<void> {
    while (!isStopping) {
      try {
        await Promise.race([runner?.promise, ended]);
      } catch (error) {
        tell({ type: "jobs-failed", level: "warning", error });
      }
      while (!isStopping) {
        await pause.wait(delays.next());
        if (isStopping) break;
        try {
          await start();
          delays.reset();
          break;
        } catch (error) {
          tell({ type: "jobs-not-started", level: "warning", error });
        }
      }
    }
  }

  await start();
  const supervising = supervise();
  return {
    get id() {
      return pool?.id;
    },
    nudge(count) {
      if (pool === undefined || isStopping) return;
      try {
        pool.nudge(count);
      } catch {
        // it is just ending
      }
    },
    async stop() {
      isStopping = true;
      isEnding = true;
      pause.end();
      try {
        await runner?.stop();
      } catch (error) {
        tell({ type: "jobs-failed", level: "info", error });
      }
      await supervising;
      options.onId(undefined, pool?.id);
    },
  };
}

/** Milliseconds that a failure is held back for: what was lost with the connection is often ended in the same moment. */
const grace = 50;

/**
 * A pool whose questions have an empty answer where they fail while whoever asked them is ending: graphile-worker would
 * print the failure of each.
 */
function hushed(pool: pg.Pool, isEnding: () => boolean): pg.Pool {
  const none = { rows: [], rowCount: 0 };
  const hush = async <T>(work: Promise<T>): Promise<T | typeof none> => {
    try {
      return await work;
    } catch (error) {
      if (await endsSoon()) return none;
      throw error;
    }
  };
  const endsSoon = async () => {
    if (!isEnding()) await sleep(grace);
    return isEnding();
  };
  const connect = async () => {
    let client: pg.PoolClient;
    try {
      client = await pool.connect();
    } catch (error) {
      if (await endsSoon()) return { query: async () => none, release: () => undefined };
      throw error;
    }
    return Object.create(client, {
      query: { value: (...args: [pg.QueryConfig]) => hush(client.query(...args)) },
      release: { value: () => client.release() },
    });
  };
  // with an argument it is asked for a connection to listen on, which there is none of: see openJobPool
  return Object.create(pool, {
    connect: { value: (listen?: unknown) => (listen === undefined ? connect() : undefined) },
  });
}

/** What graphile-worker would print; the rest is said better elsewhere. */
function loggerFor(onEvent: OnEvent | undefined): Logger {
  const tell = safely(onEvent);
  return new Logger((scope) => (level, message, meta) => {
    // its warnings are about settings that are made on purpose
    if (level !== "error") return;
    tell({ type: "jobs", level: "warning", error: meta?.error, detail: { message, ...scope } });
  });
}
