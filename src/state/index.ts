export { createReducer, dropReducer, type SqlReducerDefinition } from "./create-reducer.ts";
export { defineReducer, type Reducer, type ReducerDefinition } from "./define-reducer.ts";
export type { SqlStateOptions, TypedSqlStateOptions } from "./load-sql-state.ts";
export { fold, type LoadedState, type LoadStateOptions, loadState } from "./load-state.ts";
