import { setTimeout as delay } from "node:timers/promises";
import { type DbLike, toDb } from "../db.ts";
import { TooManyEventsError } from "../errors.ts";
import { appendBounded } from "./append.ts";
import { sendBatch, toOutcome } from "./append-batch.ts";
import { type Entry, makeEntry } from "./appender/entry.ts";
import { AppenderClosedError } from "./appender/errors.ts";
import { createLanes, type LaneRun } from "./appender/lanes.ts";
import { pauseOf, settle, settleFailed } from "./appender/settle.ts";
import type { AppendInput, AppendResult } from "./types.ts";
import { wireAppendJson } from "./wire-append.ts";

/** How an appender works; the defaults are measured (`npm run bench -- append`). */
export interface AppenderOptions {
  /** Batches under way at a time, each on a connection of its own. Default 2. */
  readonly batchesInFlight?: number | undefined;
  /** Most calls in one batch. Default 128. */
  readonly maxBatch?: number | undefined;
  /** Connections that wait for streams held by other transactions. Default 2. */
  readonly waiting?: number | undefined;
  /** How long a call waits for such a stream, in milliseconds, before it fails with StreamBusyError. Default 30,000. */
  readonly maxWait?: number | undefined;
  /** Tenant of calls that name none. */
  readonly tenantId?: string | undefined;
}

/** Gathers concurrent appends of a process into few transactions: `createAppender`. */
export interface Appender extends AsyncDisposable {
  /**
   * Appends to one stream, as `append` does, with its own outcome. Calls for one stream are written in the order in
   * which they were made.
   *
   * @param options.signal takes the call back as long as it waits in this process or for a stream that is held
   *   elsewhere: nothing was written then. What is on its way to the database ends with its outcome.
   * @throws what `append` throws; StreamBusyError; AppendOutcomeUnknownError; AppenderClosedError; the signal's reason
   */
  append(input: AppendInput, options?: { readonly signal?: AbortSignal | undefined }): Promise<AppendResult>;
  /** Refuses new calls and waits for the outcome of those that were made. */
  close(): Promise<void>;
}

/** A glance: a single call that finds its stream held gives up at once and queues with those that wait. Milliseconds. */
const glance = 5;
/** Turns of those that wait, so that streams held for long do not keep others from theirs. Milliseconds. */
const turn = 250;
/** Characters of payload in one batch. */
const maxCharacters = 4_000_000;

/**
 * Makes an appender (group commit). A call goes at once if the appender is idle; while batches are under way the next
 * ones gather. There is no timer, and a lone call takes no longer than `append`.
 *
 * A stream that another transaction holds is waited for apart, on `waiting` connections; other streams flow on. So a
 * caller that holds a stream in a transaction of its own and awaits the appender for that same stream waits for itself
 * until `maxWait` or its signal ends it, and keeps nobody else waiting; append through your transaction instead.
 *
 * A batch that fails as a whole is appended singly, so that each caller gets its own error. Where the connection was
 * lost with the answer, appends with an idempotency key or an exact expected version are repeated, which writes them
 * once (`duplicate: true` if the first try had); for others the outcome is unknown, and their callers are told.
 *
 * @param db a pool. The appender uses up to `batchesInFlight + waiting` connections at a time; if transactions of yours
 *   await it, the pool needs these beside theirs
 */
export function createAppender(db: DbLike, options: AppenderOptions = {}): Appender {
  const { batchesInFlight = 2, maxBatch = 128, waiting = 2, maxWait = 30_000, tenantId } = options;
  const target = toDb(db);
  const lanes = createLanes();
  const drained = Promise.withResolvers<void>();
  let entriesAtMost = maxBatch;
  let batches = 0;
  let singles = 0;
  let isPumpDue = false;
  let isClosed = false;

  function pumpSoon(): void {
    // with whatever else is called in this turn of the event loop
    if (!isPumpDue) queueMicrotask(pump);
    isPumpDue = true;
  }

  function pump(): void {
    isPumpDue = false;
    while (batches < batchesInFlight) {
      const runs = lanes.takeBatch({ entries: entriesAtMost, characters: maxCharacters, shares: batchesInFlight });
      if (runs.length === 0) break;
      batches += 1;
      void runBatch(runs).then(() => {
        batches -= 1;
        pumpSoon();
      });
    }
    while (singles < waiting) {
      const run = lanes.takeAlone();
      if (!run) break;
      singles += 1;
      void runAlone(run, turn).then(() => {
        singles -= 1;
        pumpSoon();
      });
    }
    if (isClosed && lanes.isEmpty) drained.resolve();
  }

  async function runBatch(runs: readonly LaneRun[]): Promise<void> {
    const [only, ...more] = runs;
    if (only?.entries.length === 1 && more.length === 0) return runAlone(only, glance);
    const entries = runs.flatMap((run) => run.entries);
    const open = new Set(entries);
    const again = new Set<Entry>();
    try {
      for (const row of await sendBatch(target, entries.map(entryJson), undefined)) {
        const entry = entries[row.entry];
        if (!entry || !open.delete(entry)) continue;
        if (settle(entry, toOutcome(row, entry.append.streamId), maxWait)) again.add(entry);
      }
      if (open.size > 0) throw new Error("append_batch left out an entry");
    } catch (error) {
      if (error instanceof TooManyEventsError) entriesAtMost = Math.min(entriesAtMost, error.detail.max_events);
      for (const entry of open) if (settleFailed(entry, error, false, maxWait)) again.add(entry);
    }
    for (const run of runs) release(run, again);
  }

  async function runAlone(run: LaneRun, lockTimeout: number): Promise<void> {
    const again = new Set<Entry>();
    for (const entry of run.entries) {
      try {
        entry.resolve(await appendBounded(target, entry.append, lockTimeout));
      } catch (error) {
        if (settleFailed(entry, error, true, maxWait)) again.add(entry);
      }
    }
    release(run, again);
  }

  function release(run: LaneRun, again: ReadonlySet<Entry>): void {
    const back = run.entries.filter((entry) => again.has(entry));
    const pause = Math.max(0, ...back.map(pauseOf));
    if (pause === 0) {
      lanes.release(run, back);
      return;
    }
    void delay(pause).then(() => {
      lanes.release(run, back);
      pumpSoon();
    });
  }

  function enqueue(entry: Entry, outcome: Promise<AppendResult>): void {
    const { signal } = entry;
    if (signal) {
      const onAbort = () => {
        if (lanes.remove(entry)) entry.reject(signal.reason);
        pumpSoon();
      };
      signal.addEventListener("abort", onAbort, { once: true });
      const done = () => signal.removeEventListener("abort", onAbort);
      outcome.then(done, done);
    }
    lanes.add(entry);
    pumpSoon();
  }

  async function close(): Promise<void> {
    isClosed = true;
    pumpSoon();
    await drained.promise;
  }

  return {
    append(input, { signal } = {}) {
      try {
        if (isClosed) throw closed();
        signal?.throwIfAborted();
        const { entry, outcome } = makeEntry({ ...input, tenantId: input.tenantId ?? tenantId }, signal);
        enqueue(entry, outcome);
        return outcome;
      } catch (error) {
        return Promise.reject(error);
      }
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}

function entryJson(entry: Entry): string {
  return wireAppendJson(entry.append);
}

function closed(): AppenderClosedError {
  return new AppenderClosedError("the appender is closed", {
    detail: {},
    hint: "Make the call before close(), or make a new appender.",
  });
}
