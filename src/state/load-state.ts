import { z } from "zod";
import { type Db, type DbLike, toDb } from "../db.ts";
import { toMoment, toOrdinal, toTenant, toText } from "../store/arguments.ts";
import type { Json } from "../store/json.ts";
import { type OnEvent, safely } from "../waking/facts.ts";
import type { Reducer } from "./define-reducer.ts";
import { foldEvents } from "./fold-events.ts";
import { loadSqlState, type SqlStateOptions, type TypedSqlStateOptions } from "./load-sql-state.ts";
import { saveSnapshot } from "./save-snapshot.ts";

/** Which state of a stream, and how it is found. */
export interface LoadStateOptions {
  /** State as of this version of the stream; 0 = before its first event. Default: the last. */
  readonly atVersion?: bigint | number | undefined;
  /** State as of what was recorded (`recordedAt`) up to this moment, to the millisecond. */
  readonly atTime?: Date | undefined;
  readonly tenantId?: string | undefined;
  /** False = from the first event, and no snapshot is saved. True unless said otherwise. */
  readonly snapshots?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Told of snapshots that could not be used (`snapshot-ignored`) or saved (`snapshot-not-saved`). */
  readonly onEvent?: OnEvent | undefined;
}

/** A state, and how it came about. */
export interface LoadedState<S> {
  readonly state: S;
  /** Version of the stream that the state is of: what an append that rests on it expects. 0 = no events. */
  readonly version: bigint;
  /** Version of the snapshot it was folded from; null = from the first event. */
  readonly snapshotVersion: bigint | null;
  readonly eventsFolded: number;
  /** Whether a snapshot of it has been saved. */
  readonly savedSnapshot: boolean;
}

const foundSchema = z.object({
  fold_to: z.bigint(),
  version: z.bigint().nullable(),
  state: z.custom<Json>(),
  may_save: z.boolean(),
});
type Found = z.output<typeof foundSchema>;

// a Date has milliseconds, and an event's recordedAt is cut to them: what was recorded within that one belongs to it
const readSnapshotText = `select fold_to, version, state, may_save from daybook.read_snapshot(
  stream_id => $1::text, reducer => $2::text, reducer_version => $3::integer, at_version => $4::bigint,
  at_time => $5::timestamptz + interval '999 microseconds', tenant_id => $6::text)`;

/**
 * State of a stream as a reducer folds it. A snapshot saved before is the start, where there is one of this reducer and
 * version at or before what is asked for; a new one is saved by the reducer's policy (`snapshotEvery`), in a statement
 * of its own after the read, or in a savepoint of the caller's transaction. Saving never fails the caller.
 *
 * Of a reducer in SQL, which is given by its name, or as `schema.function`, the database does all that, in one statement;
 * its snapshots are taken by upkeep. Give its state a type with `schema`.
 *
 * @throws ReducerFailedError where `evolve` throws or returns undefined; its `cause` is what was thrown
 * @throws UnknownVersionError where the stream has no version `atVersion`
 * @throws UnknownReducerError, InvalidReducerError of a reducer in SQL; ZodError where its state is not that of `schema`
 * @throws InvalidArgumentError, TenantNotGrantedError
 */
export function loadState<S>(
  db: DbLike,
  streamId: string,
  reducer: Reducer<S>,
  options?: LoadStateOptions,
): Promise<LoadedState<S>>;
export function loadState<S>(
  db: DbLike,
  streamId: string,
  reducer: string,
  options: TypedSqlStateOptions<S>,
): Promise<LoadedState<S>>;
export function loadState(
  db: DbLike,
  streamId: string,
  reducer: string,
  options?: SqlStateOptions,
): Promise<LoadedState<Json>>;
export async function loadState<S>(
  db: DbLike,
  streamId: string,
  reducer: Reducer<S> | string,
  options: LoadStateOptions | SqlStateOptions | TypedSqlStateOptions<S> = {},
): Promise<LoadedState<S> | LoadedState<Json>> {
  return typeof reducer === "string"
    ? loadSqlState(toDb(db), streamId, reducer, options)
    : loadCodeState(toDb(db), streamId, reducer, options);
}

async function loadCodeState<S>(
  db: Db,
  streamId: string,
  reducer: Reducer<S>,
  options: LoadStateOptions,
): Promise<LoadedState<S>> {
  const found = await findSnapshot(db, streamId, reducer, options);
  const snapshot = options.snapshots === false ? null : revive(found, reducer, options.onEvent);
  const from = snapshot?.version ?? 0n;
  const state = await foldEvents(db, streamId, reducer, options, {
    state: snapshot ? snapshot.state : reducer.initial(),
    from,
    to: found.fold_to,
  });
  const isDue = reducer.snapshotEvery !== null && found.fold_to - from >= reducer.snapshotEvery;
  const isNow = options.atVersion === undefined && options.atTime === undefined;
  return {
    state,
    version: found.fold_to,
    snapshotVersion: snapshot?.version ?? null,
    eventsFolded: Number(found.fold_to - from),
    savedSnapshot:
      isDue && isNow && found.may_save && options.snapshots !== false
        ? await saveSnapshot(db, reducer, { ...options, streamId, version: found.fold_to, state })
        : false,
  };
}

/**
 * State of a stream as a reducer folds it, as of now, of a version or of a moment: what `loadState` gives, the state alone.
 *
 * @throws as `loadState` does
 */
export function fold<S>(db: DbLike, streamId: string, reducer: Reducer<S>, options?: LoadStateOptions): Promise<S>;
export function fold<S>(db: DbLike, streamId: string, reducer: string, options: TypedSqlStateOptions<S>): Promise<S>;
export function fold(db: DbLike, streamId: string, reducer: string, options?: SqlStateOptions): Promise<Json>;
export async function fold<S>(
  db: DbLike,
  streamId: string,
  reducer: Reducer<S> | string,
  options: LoadStateOptions | SqlStateOptions | TypedSqlStateOptions<S> = {},
): Promise<S | Json> {
  const { state } =
    typeof reducer === "string"
      ? await loadSqlState(toDb(db), streamId, reducer, options)
      : await loadCodeState(toDb(db), streamId, reducer, options);
  return state;
}

async function findSnapshot(
  db: Db,
  streamId: string,
  reducer: Pick<Reducer<unknown>, "name" | "version">,
  { atVersion, atTime, tenantId }: LoadStateOptions,
): Promise<Found> {
  const [row] = await db.query(
    readSnapshotText,
    [
      toText(streamId, "streamId"),
      reducer.name,
      reducer.version,
      atVersion === undefined ? null : toOrdinal(atVersion, "atVersion"),
      toMoment(atTime, "atTime") ?? null,
      toTenant(tenantId) ?? null,
    ],
    { name: "daybook_read_snapshot" },
  );
  return foundSchema.parse(row);
}

function revive<S>(
  { version, state }: Found,
  reducer: Reducer<S>,
  onEvent: OnEvent | undefined,
): { version: bigint; state: S } | null {
  if (version === null) return null;
  try {
    return { version, state: reducer.revive(state) };
  } catch (error) {
    const detail = { reducer: reducer.name, reducerVersion: reducer.version, version };
    safely(onEvent)({ type: "snapshot-ignored", level: "warning", error, detail });
    return null;
  }
}
