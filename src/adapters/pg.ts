import type { Db, QueryOptions } from "../db.ts";
import { toDaybookError } from "../errors.ts";
import { ConnectionLostError, isConnectionLoss } from "../retriable.ts";
import { type Parameter, toParameters } from "./parameters.ts";
import { parserOf } from "./parsers.ts";
import { madeOf } from "./sources.ts";
import { openScope, type Run, savepoint, wholeTransaction } from "./transaction.ts";

/** A statement as pg takes it. */
export interface PgStatement {
  readonly text: string;
  readonly values?: Parameter[];
  readonly name?: string;
  readonly rowMode?: "array";
  readonly types?: { getTypeParser(oid: number, format?: string): (text: string) => unknown };
}

/** What is used of a pg Client. */
export interface PgClient {
  query(statement: PgStatement): Promise<{ rows: unknown[] }>;
  /** `T` and `E`: in a transaction. Drivers before pg 8.17 cannot tell. */
  getTransactionStatus?(): string | null;
  on(event: "error", listener: (error: Error) => void): unknown;
  off(event: "error", listener: (error: Error) => void): unknown;
  escapeIdentifier(name: string): string;
}

/** What is used of a pg Pool. */
export interface PgPool {
  connect(): Promise<PgClient & { release(destroy?: boolean | Error): void }>;
  readonly totalCount: number;
}

/** How a pg connection is used. */
export interface PgOptions {
  /**
   * Whether statements are prepared under a name, which saves a tenth of a short call. True unless said otherwise; say
   * false for a pooler in transaction mode that does not follow prepared statements (PgBouncer before 1.21).
   */
  readonly prepare?: boolean;
}

/**
 * A `Db` over a Pool or a connected Client of pg.
 *
 * A client is one connection: what is sent to it while it is in a transaction belongs to that transaction, and
 * `transaction` makes a savepoint there. Only a pool runs transactions side by side.
 */
export function fromPg(source: PgPool | PgClient, options: PgOptions = {}): Db {
  const prepare = options.prepare ?? true;
  return madeOf(isPgPool(source) ? fromPool(source, prepare) : fromClient(source, prepare), source);
}

function fromPool(pool: PgPool, prepare: boolean): Db {
  return {
    // not pool.query: after an error of any kind, a version conflict too, that closes the connection
    query: <R>(text: string, values?: readonly unknown[], options?: QueryOptions) =>
      withClient(pool, async (client, onBroken) => {
        try {
          return (await runner(client, prepare)(text, values, options)) as R[];
        } catch (error) {
          if (isConnectionLoss(error)) onBroken();
          throw error;
        }
      }),
    transaction: (work) =>
      withClient(pool, (client, onBroken) => wholeTransaction(runner(client, prepare), work, onBroken)),
  };
}

async function withClient<T>(pool: PgPool, work: (client: PgClient, onBroken: () => void) => Promise<T>): Promise<T> {
  const client = await pool.connect();
  let isBroken = false;
  const onBroken = () => {
    isBroken = true;
  };
  // without a listener the loss of a connection that is checked out ends the process
  client.on("error", onBroken);
  try {
    return await work(client, onBroken);
  } finally {
    client.off("error", onBroken);
    client.release(isBroken);
  }
}

function fromClient(client: PgClient, prepare: boolean): Db {
  const run = runner(client, prepare);
  let isBusy = false;
  return {
    query: <R>(text: string, values?: readonly unknown[], options?: QueryOptions) =>
      run(text, values, options) as Promise<R[]>,
    async transaction(work) {
      if (isBusy) {
        throw new Error("a client runs one transaction at a time; within it, use its own tx, or pass a pool");
      }
      isBusy = true;
      try {
        return (await isInTransaction(client, run))
          ? await savepoint(run, work)
          : await wholeTransaction(run, work, () => undefined);
      } finally {
        isBusy = false;
      }
    },
  };
}

async function isInTransaction(client: PgClient, run: Run): Promise<boolean> {
  const status = client.getTransactionStatus?.();
  if (status) return status !== "I";
  const scope = openScope(run);
  // outside a transaction this fails with 25P01 and does no harm
  return scope.db.query("savepoint daybook_probe").then(
    () => run("release savepoint daybook_probe").then(() => true),
    (error: unknown) => !(error instanceof Error && "code" in error && error.code === "25P01"),
  );
}

const types = { getTypeParser: (oid: number) => parserOf(oid) };

function runner(connection: PgClient, prepare: boolean): Run {
  return async (text, values = [], options = {}) => {
    const statement = {
      text,
      values: toParameters(values),
      types,
      // one statement a call, with or without parameters
      queryMode: "extended",
      ...(prepare && options.name !== undefined ? { name: options.name } : {}),
      ...(options.rowMode === "array" ? { rowMode: options.rowMode } : {}),
    };
    try {
      return (await connection.query(statement)).rows;
    } catch (error) {
      throw isUncoded(error) ? new ConnectionLostError(error.message, { cause: error }) : toDaybookError(error, text);
    }
  };
}

/** Errors of the server and of the network have codes: what pg itself says of a connection has none. */
function isUncoded(error: unknown): error is Error {
  return error instanceof Error && !(error instanceof TypeError) && !("code" in error);
}

/** Whether something is a Pool of pg. */
export function isPgPool(db: object): db is PgPool {
  return "totalCount" in db && "connect" in db;
}

/** Whether something is a Client of pg. */
export function isPgClient(db: object): db is PgClient {
  return "escapeIdentifier" in db && "query" in db;
}
