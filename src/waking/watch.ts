import type { ClientConfig } from "pg";
import { type OnEvent, safely } from "./facts.ts";
import { inTime } from "./in-time.ts";
import { type Listener, openListener } from "./listener.ts";
import { fallAsleep, look, type Pulse, wakeUp } from "./look.ts";
import { createBackoff, createPause } from "./pause.ts";
import { createRhythm } from "./rhythm.ts";
import type { Follower, Watch, WatchOptions } from "./watch-types.ts";

/** A rider asks so often whether its sleeper is alive. */
const riderInterval = 1000;

/** How long a look through a pool may take: behind a connection that has gone silent it would take for ever. */
const patience = 4000;

export function createWatch(options: WatchOptions): Watch {
  const { db, connection, safetyPoll = 30_000 } = options;
  const followers = new Set<Follower>();
  const tell: OnEvent = (fact) => {
    for (const follower of followers) safely(follower.onEvent)(fact);
  };
  const rhythm = createRhythm();
  const bell = createPause();
  /** While an append is in flight, or somebody is in the way of falling asleep. */
  const polling = createBackoff(2, 50);
  const withoutListener = createBackoff(10, 250);
  const failing = createBackoff(100, 5000, 0.2);
  let listener: Listener | undefined;
  let connecting: Promise<void> | undefined;
  let horizon: bigint | undefined;
  let isStopped = false;

  async function connect(config: ClientConfig): Promise<void> {
    const delays = createBackoff(50, 5000, 0.2);
    while (!isStopped && listener === undefined) {
      try {
        const opened = await openListener({
          connection: config,
          onNotification: (payload) => {
            if (payload !== "") nudge();
            bell.end();
          },
          onLost: (error) => {
            listener = undefined;
            tell({ type: "listening-lost", level: "warning", error });
            bell.end();
            reconnect();
          },
        });
        if (isStopped) return await opened.close();
        listener = opened;
        tell({ type: "listening", level: "info" });
        for (const follower of followers) follower.onListening?.(opened.db);
        // what was said while nobody listened
        nudge();
        bell.end();
      } catch (error) {
        tell({ type: "listening-failed", level: "warning", error });
        if (!isStopped) await wait(delays.next());
      }
    }
  }

  const waits = new Set<() => void>();
  function wait(milliseconds: number): Promise<void> {
    return new Promise((resolve) => {
      const end = () => {
        clearTimeout(timer);
        waits.delete(end);
        resolve();
      };
      const timer = setTimeout(end, milliseconds);
      waits.add(end);
    });
  }

  function reconnect(): void {
    if (isStopped || connecting !== undefined || connection === undefined) return;
    connecting = connect(connection).finally(() => {
      connecting = undefined;
      // lost again before that was noted
      if (listener === undefined) reconnect();
    });
  }

  function nudge(): void {
    for (const follower of followers) follower.onNudge?.();
  }

  function note(pulse: Pulse): boolean {
    // it can come out lower than an earlier one; where it is the end of the log, the log was set back
    const isSetBack = horizon !== undefined && pulse.settled && pulse.horizon < horizon;
    if (horizon !== undefined && pulse.horizon <= horizon && !isSetBack) return false;
    if (horizon !== undefined) rhythm.beat(performance.now(), Number(pulse.horizon - horizon));
    horizon = pulse.horizon;
    for (const follower of followers) follower.onHorizon(horizon);
    return true;
  }

  const isWanted = () => followers.values().some((follower) => follower.isBusy?.() ?? true);

  /** One look, and the wait behind it. */
  async function turn(): Promise<void> {
    const pulse = await (listener === undefined ? inTime(look(db), patience) : look(listener.db));
    failing.reset();
    if (note(pulse)) {
      polling.reset();
      withoutListener.reset();
    }
    const lingering = rhythm.linger(performance.now(), isWanted());
    if (lingering !== undefined) await bell.wait(lingering);
    else if (!pulse.settled) await bell.wait(polling.next());
    else if (listener === undefined) await bell.wait(withoutListener.next());
    else await sleep(listener);
  }

  /** Until it is woken, for whatever reason. */
  async function sleep(bed: Listener): Promise<void> {
    // what rang until now is seen by the look below
    bell.clear();
    const until = performance.now() + safetyPoll;
    for (;;) {
      const state = await fallAsleep(bed.db);
      if (state === "appending") {
        await bell.wait(polling.next());
        return;
      }
      polling.reset();
      // What came after the last look, and before it was announced, nobody notifies of. A rider may have been uncovered
      // for a while, too: its sleeper was killed, and another one has come.
      const pulse = await look(bed.db);
      // stop may have rung before that was cleared
      if (note(pulse) || !pulse.settled || isStopped) break;
      const rest = until - performance.now();
      const isWoken = await bell.wait(state === "covered" ? Math.min(riderInterval, rest) : rest);
      if (isWoken || isStopped || !bed.isOpen || state === "asleep" || performance.now() >= until) break;
    }
    if (performance.now() >= until) nudge();
    if (bed.isOpen) await wakeUp(bed.db);
  }

  async function run(): Promise<void> {
    while (!isStopped) {
      try {
        await turn();
      } catch (error) {
        tell({ type: "look-failed", level: "warning", error });
        await bell.wait(failing.next());
      }
    }
  }

  reconnect();
  const running = run();
  return {
    follow(follower) {
      followers.add(follower);
      if (horizon !== undefined) follower.onHorizon(horizon);
      if (listener !== undefined) follower.onListening?.(listener.db);
      return () => followers.delete(follower);
    },
    get horizon() {
      return horizon;
    },
    get listener() {
      return listener?.db;
    },
    poke: () => bell.end(),
    async stop() {
      isStopped = true;
      bell.end();
      for (const end of waits) end();
      await connecting;
      await running;
      await listener?.close();
    },
  };
}
