import { monitorEventLoopDelay } from "node:perf_hooks";
import { setTimeout as sleep } from "node:timers/promises";
import type { Session } from "./sessions.ts";

/** Whether the machine gives its processes their turn: for tests that measure time. */
export interface Stalls {
  /** Begins a new window. */
  reset(): void;
  /** Milliseconds of the longest stall in the window: of a timer of this process, or of a statement that does nothing. */
  longest(): Promise<number>;
  stop(): Promise<void>;
}

/** Milliseconds between two statements, and between two looks at the timers of this process. */
const INTERVAL = 5;

/** Watches for stalls, with a session of its own. */
export function watchStalls(session: Session): Stalls {
  const loop = monitorEventLoopDelay({ resolution: INTERVAL });
  loop.enable();
  let isStopped = false;
  let longest = 0;
  /** When the statement under way was sent. */
  let sent = performance.now();

  const ping = async () => {
    while (!isStopped) {
      sent = performance.now();
      await session.rows("select");
      longest = Math.max(longest, performance.now() - sent);
      sent = Number.POSITIVE_INFINITY;
      await sleep(INTERVAL);
    }
  };
  const pinging = ping();
  return {
    reset() {
      loop.reset();
      longest = 0;
    },
    async longest() {
      // the loop's own measure is late by one turn
      await sleep(INTERVAL);
      return Math.max(longest, performance.now() - sent, loop.max / 1e6 - INTERVAL);
    },
    async stop() {
      isStopped = true;
      loop.disable();
      await pinging;
    },
  };
}
