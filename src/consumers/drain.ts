import type { Db } from "../db.ts";
import { isConnectionLoss, isRetriable } from "../retriable.ts";
import { type Pace, pace } from "./pace.ts";
import { type BatchResult, runBatch } from "./run-batch.ts";
import type { FailOutcome, ShardOf, Source } from "./types.ts";

/** How a shard is drained. */
export interface DrainOptions {
  /** Name of the consumer, where it is another's replay. Its own unless said otherwise. */
  readonly name?: string | undefined;
  /** From 0, the default. */
  readonly shard?: number | undefined;
  /** In how many shards whoever asks believes it to run: 1 unless said otherwise. */
  readonly shardCount?: number | undefined;
  /** Milliseconds after which no further batch is begun. 1000 unless said otherwise. */
  readonly budget?: number | undefined;
  /** Messages in a batch at most. That of the definition unless said otherwise. */
  readonly maxBatch?: number | undefined;
  /** Milliseconds after which a batch is ended and committed. 200 unless said otherwise. */
  readonly maxBatchTime?: number | undefined;
  /**
   * A horizon that was read before, as workers do once for many drains: it goes no further. Each batch reads its own
   * unless one is given.
   */
  readonly horizon?: bigint | undefined;
  /** Ends it: between two events, with what was done by then. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Why a drain ended. `dry`: nothing more to do now, or nothing that this drain may do (somebody else has the shard, it is
 * paused, its layout changed); `budget`: its time was over; `waiting`: its next message has failed and is tried again
 * later; `halted`: a person is needed; `stale`: somebody else runs it; `stopped`: it was told to.
 */
export type DrainOutcome = "dry" | "budget" | "waiting" | "halted" | "stale" | "stopped";

/** What a drain did. */
export interface DrainResult {
  /** Messages that were handled, and whose transaction was committed. */
  readonly handled: number;
  /** Whether there may be more to do at once. */
  readonly more: boolean;
  readonly outcome: DrainOutcome;
}

const never = new AbortController().signal;

/**
 * Runs batches of a shard until there is nothing left, the time is over, or it has to wait. Parked streams that are due
 * take turns with the log.
 *
 * @throws what is nobody's failure: the connection is lost (the transaction was rolled back, or its commit is in doubt: the
 *   position in the database tells), CheckpointAheadError, UnknownConsumerError
 */
export async function drain<M>(
  db: Db,
  source: Source<M>,
  of: ShardOf,
  options: DrainOptions & { readonly maxBatch: number },
): Promise<DrainResult> {
  const { budget = 1000, maxBatchTime: time = 200, signal = never, horizon } = options;
  const end = performance.now() + budget;
  const steps = pace(options.maxBatch);
  const state: State = { isRetried: new Set(), parked: true, log: true, turn: "parked" };
  let handled = 0;
  while (!signal.aborted) {
    const result = await runBatch(db, source, of, { limit: steps.next(), look: look(state), time, horizon, signal });
    const outcome = await next(db, source, result, steps, state, signal);
    if (result.kind === "done") handled += result.handled;
    if (outcome !== undefined) return { handled, more: outcome === "stopped", outcome };
    if (performance.now() >= end) return { handled, more: true, outcome: "budget" };
  }
  return { handled, more: true, outcome: "stopped" };
}

interface State {
  /** Messages that have been tried again at once. */
  readonly isRetried: Set<bigint>;
  /** There may be parked streams that are due. */
  parked: boolean;
  /** There may be messages behind the position. */
  log: boolean;
  turn: "parked" | "log";
}

function look({ parked, log, turn }: State): readonly ("log" | "parked")[] {
  if (!parked) return ["log"];
  if (!log) return ["parked"];
  return turn === "parked" ? ["parked", "log"] : ["log", "parked"];
}

/** What follows from a batch: why the drain ends, or nothing. */
async function next<M>(
  db: Db,
  source: Source<M>,
  result: BatchResult<M>,
  steps: Pace,
  state: State,
  signal: AbortSignal,
): Promise<DrainOutcome | undefined> {
  switch (result.kind) {
    case "nothing":
      return "dry";
    case "stale":
      return "stale";
    case "done":
      steps.onDone();
      return taken(result, state);
    case "failed":
      return signal.aborted ? "stopped" : failed(db, source, result, steps, state);
  }
}

function taken<M>(result: BatchResult<M> & { kind: "done" }, state: State): DrainOutcome | undefined {
  const { hold, isLast, outcome } = result;
  // what was not looked for first has been found empty, if the other one was found
  if (!hold.isParked && state.turn === "parked") state.parked = false;
  if (hold.isParked && state.turn === "log") state.log = false;
  if (!hold.isParked && isLast) state.log = false;
  state.turn = hold.isParked ? "log" : "parked";
  const end = ending(hold.isParked, outcome);
  return end ?? (state.log || state.parked ? undefined : "dry");
}

async function failed<M>(
  db: Db,
  source: Source<M>,
  { hold, index, error }: BatchResult<M> & { kind: "failed" },
  steps: Pace,
  state: State,
): Promise<DrainOutcome | undefined> {
  if (index === undefined) {
    steps.onUnknown(hold.messages.length);
    return undefined;
  }
  const message = hold.messages[index];
  if (index > 0 || message === undefined) {
    steps.onFailed(index);
    return undefined;
  }
  const { position } = source.factsOf(message);
  if (isPassing(error) && !state.isRetried.has(position)) {
    state.isRetried.add(position);
    steps.onFailed(0);
    return undefined;
  }
  steps.onDone();
  return ending(hold.isParked, await hold.fail(db, { message, error }));
}

/** A deadlock, a lost connection: whatever happens to a transaction without a fault of its event, once. */
function isPassing(error: unknown): boolean {
  return isRetriable(error) || isConnectionLoss(error);
}

function ending(isParked: boolean, outcome: FailOutcome | undefined): DrainOutcome | undefined {
  if (outcome === "stale") return "stale";
  if (isParked || outcome === undefined) return undefined;
  return outcome === "retry" || outcome === "postponed" ? "waiting" : outcome === "halted" ? "halted" : undefined;
}
