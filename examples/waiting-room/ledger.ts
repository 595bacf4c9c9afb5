import { createHistogram } from "node:perf_hooks";
import type { StoredEvent } from "../../src/index.ts";

/** Keeps account of what this run has appended and what came back. */
export interface Ledger {
  /** The store has acknowledged an event; milliseconds that took. */
  stored(eventId: string, took: number): void;
  conflict(): void;
  /** An event was read from the log. */
  read(event: StoredEvent): void;
  /** A version is missing in a stream. */
  hole(): void;
  /** Whether all that was acknowledged has been read. */
  isSettled(): boolean;
  balance(): Balance;
}

export interface Balance {
  readonly appended: number;
  readonly conflicts: number;
  /** Of an append, in milliseconds. */
  readonly latency: { readonly p50: number; readonly p95: number };
  /** Acknowledged and not read. */
  readonly unread: number;
  /** Read without an acknowledgement of their own: twice, or the acknowledgement was lost. */
  readonly surplus: number;
  /** Missing versions, and events that came out of order. */
  readonly disorder: number;
}

/** @param run marks the events that are ours, in their metadata */
export function createLedger(run: string): Ledger {
  const latencies = createHistogram();
  const unread = new Set<string>();
  // the log can be quicker than the acknowledgement
  const early = new Set<string>();
  let appended = 0;
  let conflicts = 0;
  let disorder = 0;
  let lastPosition = 0n;
  const milliseconds = (percentile: number) => (appended === 0 ? 0 : latencies.percentile(percentile) / 1000);
  return {
    stored(eventId, took) {
      appended += 1;
      latencies.record(Math.max(1, Math.round(took * 1000)));
      if (!early.delete(eventId)) unread.add(eventId);
    },
    conflict() {
      conflicts += 1;
    },
    read({ eventId, position, metadata }) {
      if (position <= lastPosition) disorder += 1;
      lastPosition = position;
      if (metadata.run === run && !unread.delete(eventId)) early.add(eventId);
    },
    hole() {
      disorder += 1;
    },
    isSettled: () => unread.size === 0,
    balance: () => ({
      appended,
      conflicts,
      latency: { p50: milliseconds(50), p95: milliseconds(95) },
      unread: unread.size,
      surplus: early.size,
      disorder,
    }),
  };
}
