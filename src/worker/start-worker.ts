import { untilRead } from "../subscribe/until-read.ts";
import { safely } from "../waking/facts.ts";
import { endsWithin } from "../waking/in-time.ts";
import { createPause } from "../waking/pause.ts";
import { shareWatch } from "../waking/share-watch.ts";
import { openConnections } from "./connections.ts";
import { createRunnable } from "./consumers.ts";
import { createDispatcher, type Dispatcher } from "./dispatcher.ts";
import { createDrains, keyOf, parseDue, type RunningDrain } from "./drains.ts";
import { type Jobs, runJobs } from "./jobs.ts";
import { toSettings, type WorkerOptions } from "./options.ts";
import { keepPresence } from "./presence.ts";
import { register } from "./register.ts";
import { doUpkeep } from "./upkeep.ts";

/** A worker, as it is now. */
export interface WorkerStatus {
  /** Its name in `daybook.workers`; undefined while it is away from the database. */
  readonly id: string | undefined;
  readonly state: "running" | "stopping" | "stopped";
  /** Whether the connection that listens is there. */
  readonly isListening: boolean;
  /** How far the log is known to be settled. */
  readonly horizon: bigint | undefined;
  /** Shards that this process has in hand. */
  readonly running: readonly RunningDrain[];
  /** Events and messages handled since it was started. */
  readonly handled: number;
}

/** A worker of this process. */
export interface Worker extends AsyncDisposable {
  /**
   * Takes nothing more, finishes the batches in hand, and leaves. What takes longer than `stopTimeout` is told to give up
   * (its signal is aborted) and is done again by others. Called again, it leaves at once. Never rejects.
   */
  stop(): Promise<void>;
  status(): WorkerStatus;
  /** Resolves when it has stopped. */
  readonly stopped: Promise<void>;
}

/** Milliseconds for saying goodbye to the database when time is over. */
const goodbye = 500;

/**
 * Starts a worker: it runs handlers, advances projections, sends what routes have put into the outbox, and does the upkeep,
 * together with all other workers of the database. Each shard of a handler or route, and each projection, runs in one of
 * them at a time. It waits for a database
 * that is away, at the start and later.
 *
 * graphile-worker runs the shards as jobs; its schema is made here, by the role of the worker, if it is not there.
 *
 * @throws TypeError, InvalidConsumerError, InvalidProjectionError where options or definitions are wrong; NotInstalledError
 */
export async function startWorker(options: WorkerOptions): Promise<Worker> {
  const settings = toSettings(options);
  const { handlers = [], projections = [], routes = [], transports = [], onEvent, signal } = options;
  const { jobSchema: schema, concurrency, safetyPoll } = settings;
  const tell = safely(onEvent);
  signal?.throwIfAborted();
  const connections = openConnections(options.db, settings);
  const { db, own } = connections;
  const starting = createPause();
  const onAbort = () => starting.end();
  signal?.addEventListener("abort", onAbort);

  let dispatcher: Dispatcher | undefined;
  let jobs: Jobs | undefined;
  const runnable = createRunnable(db, { handlers, projections, routes, transports });
  const drains = createDrains({
    runnable,
    concurrency,
    horizon: () => shared.watch.horizon,
    waiting: () => dispatcher?.waiting ?? 0,
    onEnd: (_key, hasMore) => dispatcher?.check(hasMore ? 0 : 1000),
    onEvent,
  });
  const presence = keepPresence({ db: own, schema, onEvent, onReleased: () => dispatcher?.check() });
  const directUrl = settings.directUrl ?? (typeof options.db === "string" ? options.db : undefined);
  const shared = shareWatch(own, { directUrl, safetyPoll });
  const task = async (payload: unknown) => {
    const due = parseDue(payload);
    dispatcher?.onStart(keyOf(due));
    await drains.run(due);
  };
  const leaving = new AbortController();
  const upkeep = () => doUpkeep(db, tell, leaving.signal);

  async function untilThere<T>(work: () => Promise<T>): Promise<T> {
    return untilRead(work, starting, signal, onEvent);
  }

  try {
    for (const handler of handlers) await untilThere(() => register(own, "handler", handler, onEvent));
    for (const projection of projections) await untilThere(() => register(own, "projection", projection, onEvent));
    for (const route of routes) await untilThere(() => register(own, "route", route, onEvent));
    jobs = await untilThere(() =>
      runJobs({
        pool: connections.jobs,
        schema,
        concurrency,
        tasks: { ...Object.fromEntries(runnable.tasks.map((name) => [name, task])), "daybook:upkeep": upkeep },
        cron: settings.upkeep === false ? [] : [{ task: "daybook:upkeep", match: settings.upkeep }],
        prepare: settings.prepare,
        onEvent,
        onId(id, before) {
          if (before !== undefined) presence.leave(before);
          presence.announce(id, shared.watch.listener);
        },
      }),
    );
  } catch (error) {
    presence.stop();
    await shared.release();
    await connections.close();
    throw error;
  } finally {
    signal?.removeEventListener("abort", onAbort);
  }

  const running = jobs;
  dispatcher = createDispatcher({
    db: own,
    schema,
    runnable,
    drains,
    jobs: () => running,
    horizon: () => shared.watch.horizon,
    safetyPoll,
    onEvent,
  });
  const { onHorizon, check } = dispatcher;
  const unfollow = shared.watch.follow({
    onHorizon() {
      drains.onHorizon();
      onHorizon();
    },
    isBusy: () => drains.running.length > 0,
    onEvent,
    onNudge() {
      runnable.forget();
      check();
    },
    onListening: (listener) => presence.announce(running.id, listener),
  });
  presence.sweep();
  tell({ type: "worker-started", level: "info", detail: { worker: running.id } });

  let state: WorkerStatus["state"] = "running";
  const { promise: stopped, resolve } = Promise.withResolvers<void>();
  const left = Promise.withResolvers<void>();

  async function leave(): Promise<void> {
    state = "stopping";
    leaving.abort();
    tell({ type: "worker-stopping", level: "info", detail: { worker: running.id } });
    const { id } = running;
    unfollow();
    drains.stop();
    const finished = Promise.all([dispatcher?.stop(), running.stop()]);
    if (!(await endsWithin(settings.stopTimeout, finished, left.promise))) {
      tell({ type: "worker-gives-up", level: "warning", detail: { running: drains.running } });
      drains.abort();
      await endsWithin(goodbye, finished);
    }
    presence.stop();
    if (id !== undefined) await endsWithin(goodbye, presence.leave(id));
    await endsWithin(goodbye, Promise.all([shared.release(), connections.close()]));
    state = "stopped";
    tell({ type: "worker-stopped", level: "info", detail: { worker: id } });
    resolve();
  }

  const stop = (): Promise<void> => {
    if (state === "running") leave();
    else left.resolve();
    return stopped;
  };
  if (signal?.aborted) stop();
  signal?.addEventListener("abort", stop, { once: true });
  return {
    stop,
    stopped,
    status: () => ({
      id: state === "stopped" ? undefined : running.id,
      state,
      isListening: shared.watch.listener !== undefined,
      horizon: shared.watch.horizon,
      running: drains.running,
      handled: drains.handled,
    }),
    [Symbol.asyncDispose]: stop,
  };
}
