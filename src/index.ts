export { fromPg, type PgClient, type PgOptions, type PgPool } from "./adapters/pg.ts";
export { fromPglite, type Pglite, type PgliteTransaction } from "./adapters/pglite.ts";
export { fromSlonik, type Slonik } from "./adapters/slonik.ts";
export { type Db, type DbLike, type QueryOptions, toDb } from "./db.ts";
export * from "./errors.ts";
export * from "./migrate/index.ts";
export * from "./retriable.ts";
export * from "./store/index.ts";
export * from "./testing/index.ts";
