import { z } from "zod";
import type { ConsumerKind } from "../consumers/types.ts";
import { isAway } from "../subscribe/until-read.ts";
import { type OnEvent, safely } from "../waking/facts.ts";
import { createPause, type Pause } from "../waking/pause.ts";
import type { DueShard, Runnable } from "./consumers.ts";

/** What runs in this process. */
export interface Drains {
  /** Runs a shard until it has been quiet for a while, or another waits for its place. */
  run(due: DueShard): Promise<void>;
  /** There is more for a shard. False: it does not run here. */
  poke(due: DueShard): boolean;
  /** The log has moved: drains that wait, and had something to do the last time, need not be told that they have more. */
  onHorizon(): void;
  /** A shard may be started again: it is not one that has just failed. */
  mayStart(key: string): boolean;
  /** Jobs wait for a place, so drains that have nothing to do give theirs up. */
  makeRoom(): void;
  readonly running: readonly RunningDrain[];
  readonly handled: number;
  /** Ends drains behind the batch in hand. */
  stop(): void;
  /** Ends them now: handlers are told to give up. */
  abort(): void;
}

/** A shard that runs in this process. */
export interface RunningDrain {
  readonly kind: ConsumerKind;
  readonly name: string;
  readonly shard: number;
  readonly since: Date;
  readonly handled: number;
}

export interface DrainsOptions {
  readonly runnable: Runnable;
  readonly concurrency: number;
  /** Milliseconds after which a drain that is never done ends, to be begun again by another job. A minute unless said otherwise. */
  readonly longest?: number | undefined;
  /** How far the log is known to be settled. */
  horizon(): bigint | undefined;
  /** How many jobs wait for a place. */
  waiting(): number;
  /** A drain has ended; there may be more to do. */
  onEnd(key: string, hasMore: boolean): void;
  readonly onEvent: OnEvent | undefined;
}

/** Milliseconds of one call of a drain: so long others wait for its place, and stop waits for it. */
const slice = 250;
/** Milliseconds for which a drain that has run dry keeps its place for what comes next. */
const linger = 500;
const failing = { first: 250, most: 30_000 };

interface State {
  due: DueShard;
  readonly since: Date;
  readonly bell: Pause;
  isPoked: boolean;
  /** The database has said that there is more. */
  isDue: boolean;
  /** The last call has handled something. */
  isEager: boolean;
  handled: number;
}

/** Name of a shard, and of its job. */
export function keyOf({ kind, name, shard }: Pick<DueShard, "kind" | "name" | "shard">): string {
  return `${kind}:${shard}:${name}`;
}

const payload = z.object({
  kind: z.enum(["handler", "projection", "route"]),
  name: z.string(),
  implementation: z.string(),
  shard: z.int(),
  shardCount: z.int(),
});

/** The shard that a job is for. */
export const parseDue = (value: unknown): DueShard => payload.parse(value);

export function createDrains(options: DrainsOptions): Drains {
  const { runnable, concurrency, longest = 60_000 } = options;
  const tell = safely(options.onEvent);
  const running = new Map<string, State>();
  const failures = new Map<string, { count: number; until: number }>();
  const abortion = new AbortController();
  let isStopping = false;
  let handled = 0;

  const isCrowded = () => running.size >= concurrency && options.waiting() > 0;

  async function work(state: State): Promise<boolean> {
    let empty = 0;
    const end = performance.now() + longest;
    for (;;) {
      // graphile-worker gives a job that lasts four hours to somebody else
      if (isStopping || performance.now() >= end) return true;
      state.isPoked = false;
      state.bell.clear();
      const horizon = options.horizon();
      const result = await runnable.drain(state.due, { budget: slice, horizon, signal: abortion.signal });
      // somebody who moves idle shards may have had it just then
      empty = result.handled > 0 || !state.isDue || result.outcome !== "dry" ? 0 : empty + 1;
      if (empty > 0 && empty <= 3) state.isPoked = !(await state.bell.wait(5)) || state.isPoked;
      else state.isDue = false;
      state.isEager = result.handled > 0;
      state.handled += result.handled;
      handled += result.handled;
      if (result.handled > 0) failures.delete(keyOf(state.due));
      if (result.outcome === "halted") tell({ type: "consumer-halted", level: "error", detail: factsOf(state.due) });
      if (result.outcome === "stale") return true;
      if (result.more) {
        if (isCrowded()) return true;
      } else if (!state.isPoked) {
        if (isCrowded() || isStopping) return false;
        if (!(await state.bell.wait(linger)) || !state.isPoked) return false;
      }
    }
  }

  function fail(key: string, state: State, error: unknown): void {
    const count = (failures.get(key)?.count ?? 0) + 1;
    const delay = Math.min(failing.first * 2 ** (count - 1), failing.most);
    failures.set(key, { count, until: performance.now() + delay });
    const level = isAway(error) ? "warning" : "error";
    tell({ type: "drain-failed", level, error, detail: { ...factsOf(state.due), retryIn: delay } });
  }

  return {
    async run(due) {
      const key = keyOf(due);
      // its job was made anew while the one before was ending
      if (running.has(key) || isStopping) {
        const other = running.get(key);
        if (other) other.isPoked = true;
        other?.bell.end();
        return;
      }
      const state: State = {
        due,
        since: new Date(),
        bell: createPause(),
        isPoked: false,
        isDue: true,
        isEager: false,
        handled: 0,
      };
      running.set(key, state);
      let hasMore = true;
      try {
        hasMore = await work(state);
      } catch (error) {
        if (!abortion.signal.aborted) fail(key, state, error);
        hasMore = false;
      } finally {
        running.delete(key);
        options.onEnd(key, hasMore || state.isPoked);
      }
    },
    poke(due) {
      const state = running.get(keyOf(due));
      if (state === undefined) return false;
      // the number of shards may have changed
      state.due = due;
      state.isDue = true;
      state.isPoked = true;
      state.bell.end();
      return true;
    },
    onHorizon() {
      for (const state of running.values()) {
        if (!state.isEager) continue;
        state.isPoked = true;
        state.bell.end();
      }
    },
    mayStart: (key) => (failures.get(key)?.until ?? 0) <= performance.now(),
    makeRoom() {
      if (!isCrowded()) return;
      for (const { bell } of running.values()) bell.end();
    },
    get running() {
      return [...running.values()].map(({ due: { kind, name, shard }, since, handled }) => ({
        kind,
        name,
        shard,
        since,
        handled,
      }));
    },
    get handled() {
      return handled;
    },
    stop() {
      isStopping = true;
      for (const { bell } of running.values()) bell.end();
    },
    abort() {
      isStopping = true;
      abortion.abort(new Error("the worker is stopping"));
      for (const { bell } of running.values()) bell.end();
    },
  };
}

function factsOf({ kind, name, shard }: DueShard): Record<string, unknown> {
  return { kind, name, shard };
}
