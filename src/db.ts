import { fromPg, isPgClient, isPgPool, type PgClient, type PgPool } from "./adapters/pg.ts";
import { fromPglite, isPglite, isPgliteTransaction, type Pglite, type PgliteTransaction } from "./adapters/pglite.ts";
import { fromSlonik, isSlonik, type Slonik } from "./adapters/slonik.ts";

/** How a statement is to be sent. */
export interface QueryOptions {
  /** Name of a prepared statement: always the same text for the same name. Drivers that cannot keep it ignore it. */
  readonly name?: string;
  /** Rows as objects by column (the default) or as arrays. */
  readonly rowMode?: "object" | "array";
}

/**
 * What Daybook needs of a database, whatever the driver. Results have the same types everywhere: int8 = bigint,
 * timestamptz = Date (milliseconds), json and jsonb = parsed without losing digits (an integer beyond 2^53 is a bigint),
 * smaller numbers = number, numeric, date, time and all else = string as PostgreSQL writes it, arrays = arrays of these.
 */
export interface Db {
  /**
   * Sends one statement and gives its rows. Parameters are `$1`, `$2`, …: strings, numbers, bigints, booleans, Dates,
   * bytes, arrays of these (as PostgreSQL arrays) and plain objects (as JSON).
   *
   * @throws DaybookError for what Daybook refuses; the driver's own error for all else
   */
  query<R = Record<string, unknown>>(text: string, values?: readonly unknown[], options?: QueryOptions): Promise<R[]>;
  /**
   * Runs work in a transaction of its own connection: commits when it is done, rolls back when it throws, or when it
   * has swallowed the error of a statement. Inside a transaction: in a savepoint of it. `tx` ends with `work`.
   */
  transaction<T>(work: (tx: Db) => Promise<T>): Promise<T>;
}

/**
 * What Daybook's functions take for a database: a `Db`; a Pool or Client of pg (a client that is in a transaction of
 * yours stays in it); a pool, connection or transaction of slonik; a PGlite or its transaction.
 */
export type DbLike = Db | PgPool | PgClient | Slonik | Pglite | PgliteTransaction;

const known = new WeakMap<object, Db>();

/**
 * The `Db` of a database of whatever driver, told by its methods; the same one each time.
 *
 * @throws TypeError for anything else
 */
export function toDb(db: DbLike): Db {
  const before = known.get(db);
  if (before) return before;
  const made = adapt(db);
  known.set(db, made);
  return made;
}

function adapt(db: DbLike): Db {
  if (isSlonik(db)) return fromSlonik(db);
  if (isPglite(db) || isPgliteTransaction(db)) return fromPglite(db);
  if (isPgPool(db) || isPgClient(db)) return fromPg(db);
  if ("query" in db && "transaction" in db) return db;
  throw new TypeError(
    "not a database: pass a Pool or Client of pg, a pool or transaction of slonik, a PGlite, or a Db",
  );
}
