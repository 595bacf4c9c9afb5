import { fromPglite, type Pglite } from "../adapters/pglite.ts";
import type { Db } from "../db.ts";
import { migrate } from "../migrate/index.ts";
import { createStore, type Store } from "../store/index.ts";

/** A store in memory. */
export interface MemoryStore extends Store, AsyncDisposable {
  /** Its database, for SQL of one's own. */
  readonly db: Db;
  /** Ends it; its events are gone. */
  close(): Promise<void>;
}

/**
 * A store of its own in this process, for tests and tutorials: PostgreSQL compiled to WebAssembly (PGlite) with the very
 * same SQL in it, so it checks what the real one checks. The first one of a process takes about two seconds, further ones
 * a third of a second. It has one connection: while a transaction is open, everything else waits for it.
 *
 * @param options.tenantId calls that name no tenant get this one
 * @throws Error if the optional package `@electric-sql/pglite` is not installed
 */
export async function createMemoryStore(options: { readonly tenantId?: string } = {}): Promise<MemoryStore> {
  const pglite = await openDatabase();
  const db = fromPglite(pglite);
  let closing: Promise<void> | undefined;
  const close = () => {
    closing ??= pglite.close();
    return closing;
  };
  return { ...createStore(db, options), db, close, [Symbol.asyncDispose]: close };
}

type MemoryDatabase = Pglite & { close(): Promise<void> };

let migrated: Promise<Blob> | undefined;

/** The first database is migrated and copied before it is used; the others start from that copy. */
async function openDatabase(): Promise<MemoryDatabase> {
  const { PGlite } = await importPglite();
  if (migrated !== undefined) return PGlite.create({ loadDataDir: await migrated });
  const copied = Promise.withResolvers<Blob>();
  migrated = copied.promise;
  try {
    const first = await PGlite.create();
    await migrate(first);
    copied.resolve(await first.dumpDataDir("none"));
    return first;
  } catch (error) {
    // those that wait get the error; the next call tries again
    migrated = undefined;
    copied.promise.catch(() => undefined);
    copied.reject(error);
    throw error;
  }
}

async function importPglite() {
  try {
    return await import("@electric-sql/pglite");
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "ERR_MODULE_NOT_FOUND")) throw error;
    throw new Error("the store in memory needs PGlite: npm install --save-dev @electric-sql/pglite", { cause: error });
  }
}
