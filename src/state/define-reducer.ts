import { z } from "zod";
import type { Json, JsonObject } from "../store/json.ts";
import type { StoredEvent } from "../store/types.ts";
import { count, parseReducer, reducerFields } from "./reducer-fields.ts";

/** A reducer as it is defined. `S` is the state, `E` the application's word for the events of its streams. */
export interface ReducerDefinition<S, E extends StoredEvent<unknown> = StoredEvent> {
  /** 1 to 255 characters. Snapshots are kept under this name. */
  readonly name: string;
  /** Version of the logic, from 1. Raise it with every change of `evolve`, `initial` or the shape of the state. */
  readonly version: number;
  /** State of a stream without events. It is copied for each fold, so `evolve` may change the state it is given. */
  readonly initial: S;
  /** The state after an event. A function of its arguments alone; it does not wait for anything. */
  evolve(state: S, event: E): S;
  /** What a snapshot has to be. One that is not is left alone, and the stream folded from its first event. */
  readonly schema?: z.ZodType<S> | undefined;
  /** A snapshot is saved by whoever loads a state so many events behind the last one. None, unless said. */
  readonly snapshotEvery?: number | undefined;
  /** How many snapshots of a stream are kept, the newest ones. 3 unless said otherwise. */
  readonly keepSnapshots?: number | undefined;
}

/** A reducer, checked: `defineReducer` makes it. */
export interface Reducer<S> {
  readonly name: string;
  readonly version: number;
  /** Null = no snapshots are saved. */
  readonly snapshotEvery: number | null;
  readonly keepSnapshots: number;
  /** A new state of a stream without events. */
  readonly initial: () => S;
  readonly evolve: (state: S, event: StoredEvent) => S;
  /** The state that a snapshot holds. Throws where it holds none. */
  readonly revive: (json: Json) => S;
}

const definitionSchema = z.strictObject({
  ...reducerFields,
  version: count("version", 2_147_483_647),
  initial: z.unknown().refine(isCopyable, { error: "initial is what structuredClone can copy, and not undefined" }),
  evolve: z.custom((value) => typeof value === "function", { error: "evolve is a function" }),
  schema: z.custom((value) => value instanceof z.ZodType, { error: "schema is a schema of zod" }).optional(),
});

/**
 * Defines a reducer: code that folds the events of a stream into its state, for `fold` and `loadState`.
 *
 * @throws InvalidReducerError (YD611) that says every problem
 */
export function defineReducer<S, E extends StoredEvent<unknown> = StoredEvent>(
  definition: Omit<ReducerDefinition<S, E>, "initial" | "evolve" | "schema"> & {
    readonly schema: z.ZodType<S>;
    readonly initial: NoInfer<S>;
    evolve(state: NoInfer<S>, event: E): NoInfer<S>;
  },
): Reducer<S>;
export function defineReducer<S, E extends StoredEvent<unknown> = StoredEvent>(
  definition: Omit<ReducerDefinition<S, E>, "schema"> & { readonly schema?: undefined },
): Reducer<S>;
export function defineReducer<S>(definition: ReducerDefinition<S, StoredEvent<never>>): Reducer<S> {
  const { name, version, snapshotEvery, keepSnapshots } = parseReducer(definitionSchema, definition);
  const { initial, schema } = definition;
  // data is what the application says it is, here as everywhere it is read
  const { evolve } = definition as unknown as ReducerDefinition<S, StoredEvent<JsonObject>>;
  return Object.freeze({
    name,
    version,
    snapshotEvery: snapshotEvery ?? null,
    keepSnapshots,
    initial: () => structuredClone(initial),
    evolve: evolve.bind(definition),
    // without a schema a state is taken for what it was: it has been compared before it was saved
    revive: (json: Json) => (schema ? schema.parse(json) : (json as S)),
  });
}

function isCopyable(value: unknown): boolean {
  try {
    return structuredClone(value) !== undefined;
  } catch {
    return false;
  }
}
