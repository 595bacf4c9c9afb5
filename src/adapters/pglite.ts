import { AsyncLocalStorage } from "node:async_hooks";
import type { Db, QueryOptions } from "../db.ts";
import { toDaybookError } from "../errors.ts";
import { toParameters } from "./parameters.ts";
import { parsersByOid } from "./parsers.ts";
import { madeOf } from "./sources.ts";
import { openScope, type Run, savepoint } from "./transaction.ts";

interface PgliteQuery {
  query(
    text: string,
    values: unknown[],
    options: { parsers: Record<number, (text: string) => unknown>; rowMode?: "array" | "object" },
  ): Promise<{ rows: unknown[] }>;
  exec(script: string): Promise<{ rows: unknown[] }[]>;
}

/** What is used of a transaction of PGlite. */
export interface PgliteTransaction extends PgliteQuery {
  rollback(): Promise<void>;
}

/** What is used of a PGlite. */
export interface Pglite extends PgliteQuery {
  transaction<T>(work: (tx: PgliteTransaction) => Promise<T>): Promise<T>;
}

/**
 * A `Db` over a PGlite, or over a transaction of one that is open.
 *
 * A PGlite is one connection: while a transaction is open everything else waits for it. What is sent past `tx` from
 * within it would wait for ever, and is refused.
 */
export function fromPglite(source: Pglite | PgliteTransaction): Db {
  return madeOf(isPgliteTransaction(source) ? fromTransaction(source) : fromInstance(source), source);
}

function fromTransaction(tx: PgliteTransaction): Db {
  const run = runner(tx);
  return {
    query: <R>(text: string, values?: readonly unknown[], options?: QueryOptions) =>
      run(text, values, options) as Promise<R[]>,
    transaction: (work) => savepoint(run, work),
  };
}

function fromInstance(pglite: Pglite): Db {
  const inside = new AsyncLocalStorage<{ isOpen: boolean }>();
  const run = runner(pglite);
  const refuseInside = () => {
    if (inside.getStore()?.isOpen) {
      throw new Error("PGlite has one connection, and it is in this transaction: use the tx that work was given");
    }
  };
  return {
    async query<R>(text: string, values?: readonly unknown[], options?: QueryOptions) {
      refuseInside();
      return (await run(text, values, options)) as R[];
    },
    async transaction(work) {
      refuseInside();
      const state = { isOpen: true };
      try {
        return await pglite.transaction(async (tx) => {
          const scope = openScope(runner(tx));
          try {
            const result = await inside.run(state, work, scope.db);
            await scope.settle();
            return result;
          } finally {
            state.isOpen = false;
            scope.end();
          }
        });
      } catch (error) {
        throw toDaybookError(error);
      }
    },
  };
}

function runner(connection: PgliteQuery): Run {
  return async (text, values = [], options = {}) => {
    try {
      const { rows } = await connection.query(text, toParameters(values), {
        parsers: parsersByOid,
        rowMode: options.rowMode ?? "object",
      });
      return rows;
    } catch (error) {
      throw toDaybookError(error, text);
    }
  };
}

/** Whether something is a PGlite. */
export function isPglite(db: object): db is Pglite {
  return "exec" in db && "query" in db && "transaction" in db;
}

/** Whether something is a transaction of PGlite. */
export function isPgliteTransaction(db: object): db is PgliteTransaction {
  return "exec" in db && "query" in db && "rollback" in db;
}
