import type { Entry } from "./entry.ts";

/** What waits for one stream, in order. While entries of it are under way, the others wait for their end. */
export interface Lane {
  readonly key: string;
  readonly waiting: Entry[];
}

/** Entries of one batch that belong to one stream. */
export interface LaneRun {
  readonly lane: Lane;
  readonly entries: Entry[];
}

/** The queue of an appender: a lane a stream, so that the order within each stream is kept. */
export interface Lanes {
  add(entry: Entry): void;
  /** Takes a waiting entry out; false if it is under way (or done). */
  remove(entry: Entry): boolean;
  /** Takes what goes into the next batch; empty if nothing may. */
  takeBatch(limits: BatchLimits): LaneRun[];
  /** Takes the next entry that goes alone. */
  takeAlone(): LaneRun | undefined;
  /** The end of what was under way: puts back in front what has to be tried again, alone, and lets the lane go on. */
  release(run: LaneRun, again: readonly Entry[]): void;
  readonly isEmpty: boolean;
}

/** How much goes into one batch. */
export interface BatchLimits {
  readonly entries: number;
  /** It ends with the entry that takes it beyond this many characters of payload. */
  readonly characters: number;
  /** How many batches can be under way: each takes its share, so that none idles while another carries all. */
  readonly shares: number;
}

/** An empty queue. */
export function createLanes(): Lanes {
  const lanes = new Map<string, Lane>();
  // sets give back in the order of arrival
  const ready = new Set<Lane>();
  const alone = new Set<Lane>();
  // entries that wait or are under way
  let size = 0;

  const queue = (lane: Lane): void => {
    const [next] = lane.waiting;
    if (next === undefined) lanes.delete(lane.key);
    else (next.isAlone ? alone : ready).add(lane);
  };

  return {
    add(entry) {
      size += 1;
      const key = keyOf(entry);
      const lane = lanes.get(key);
      if (lane) {
        lane.waiting.push(entry);
      } else {
        const made = { key, waiting: [entry] };
        lanes.set(key, made);
        ready.add(made);
      }
    },
    remove(entry) {
      const lane = lanes.get(keyOf(entry));
      const place = lane?.waiting.indexOf(entry) ?? -1;
      if (!lane || place < 0) return false;
      lane.waiting.splice(place, 1);
      size -= 1;
      // not while others of it are under way: their end puts the lane in its place
      if (ready.delete(lane) || alone.delete(lane)) queue(lane);
      return true;
    },
    takeBatch(limits) {
      const runs: LaneRun[] = [];
      const share = ready.size > 1 ? Math.ceil(size / limits.shares) : limits.entries;
      let room = Math.min(share, limits.entries);
      let characters = 0;
      for (const lane of ready) {
        if (room <= 0 || characters >= limits.characters) break;
        ready.delete(lane);
        const entries = takeRun(lane, room);
        room -= entries.length;
        for (const entry of entries) characters += lengthOf(entry);
        runs.push({ lane, entries });
      }
      return runs;
    },
    takeAlone() {
      for (const lane of alone) {
        alone.delete(lane);
        return { lane, entries: lane.waiting.splice(0, 1) };
      }
      return undefined;
    },
    release({ lane, entries }, again) {
      size -= entries.length - again.length;
      lane.waiting.unshift(...again);
      queue(lane);
    },
    get isEmpty() {
      return lanes.size === 0;
    },
  };
}

/** One entry, or as many as may stand in one batch together: those that take any version. */
function takeRun(lane: Lane, room: number): Entry[] {
  let count = 0;
  while (count < room && lane.waiting[count]?.isPlain && !lane.waiting[count]?.isAlone) count += 1;
  return lane.waiting.splice(0, Math.max(count, 1));
}

function keyOf(entry: Entry): string {
  return `${entry.append.tenantId ?? ""}\n${entry.append.streamId}`;
}

function lengthOf(entry: Entry): number {
  let length = 0;
  for (const event of entry.append.events) length += event.data.length + event.metadata.length;
  return length;
}
