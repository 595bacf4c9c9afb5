import type { Db } from "../db.ts";

const sources = new WeakMap<Db, object>();

/** Notes what a `Db` was made of: migrations need the connection itself. */
export function madeOf<T extends Db>(db: T, source: object): T {
  sources.set(db, source);
  return db;
}

/** What a `Db` was made of; itself, if it is nobody's. */
export function sourceOf(db: object): object {
  return sources.get(db as Db) ?? db;
}
