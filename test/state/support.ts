import { append, type Db, defineReducer, type StoredEvent } from "../../src/index.ts";

/** Adds up, remembers the types of its events, and fails at one of them. */
export const sum = defineReducer({
  name: "sum",
  version: 1,
  initial: { sum: 0, types: [] as string[] },
  evolve(state, event: StoredEvent<{ n: number }>) {
    if (event.type === "Failed") throw new RangeError("no such number");
    // changed where it is: each fold has a state of its own
    state.sum += event.data.n;
    state.types.push(event.type);
    return state;
  },
  snapshotEvery: 10,
});

/** Appends an event with each number, in one call. */
export const add = (db: Db, streamId: string, numbers: readonly number[], tenantId?: string) =>
  append(db, { streamId, events: numbers.map((n) => ({ type: "Added", data: { n } })), tenantId });

export const ones = (count: number) => Array<number>(count).fill(1);

/** The snapshots of a stream, by version. */
export const snapshotsOf = (db: Db, streamId: string) =>
  db.query(
    "select source, reducer, reducer_version as v, version from daybook.snapshots where stream_id = $1 order by version",
    [streamId],
  );
