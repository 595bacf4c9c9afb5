import { z } from "zod";
import type { Db, QueryOptions } from "../db.ts";
import { toDaybookError } from "../errors.ts";
import { ConnectionLostError } from "../retriable.ts";
import { parseRecord } from "./literals.ts";
import { toParameters } from "./parameters.ts";
import { parserOf } from "./parsers.ts";
import { rowsAsText } from "./slonik-statement.ts";
import { fromPoolValue } from "./slonik-values.ts";
import { madeOf } from "./sources.ts";
import { openScope, type Run, savepoint } from "./transaction.ts";

/** A query as slonik takes it: what its `sql.unsafe` makes. */
export interface SlonikQuery {
  readonly type: symbol;
  readonly sql: string;
  readonly values: readonly unknown[];
  readonly parser: unknown;
}

interface SlonikResult {
  readonly fields: readonly { readonly dataTypeId: number; readonly name: string }[];
  readonly rows: readonly unknown[];
}

/** What is used of a pool, connection or transaction of slonik. */
export interface Slonik {
  query(query: SlonikQuery): Promise<SlonikResult>;
  anyFirst(query: SlonikQuery): Promise<readonly unknown[]>;
  transaction<T>(work: (tx: Slonik) => Promise<T>, retryLimit?: number): Promise<T>;
  /** Of a transaction. */
  readonly transactionId?: string;
}

/**
 * A `Db` over a pool, a connection or a transaction of slonik 49.
 *
 * Results have the types `Db` promises whatever type parsers and interceptors the pool was given: SELECT, and INSERT,
 * UPDATE and DELETE with RETURNING, are asked for their rows as text. What cannot be asked like this (SHOW, EXPLAIN, a
 * WITH that writes) comes through the pool's own parsers, which may have cut large numbers before they are seen here.
 * Statements are never prepared under a name: slonik discards them with the connection's state each time. `transaction`
 * runs its work once; slonik's retries are not used.
 */
export function fromSlonik(source: Slonik): Db {
  return madeOf(source.transactionId === undefined ? fromPool(source) : fromTransaction(source), source);
}

function fromPool(pool: Slonik): Db {
  const run = runner(pool);
  return {
    query: <R>(text: string, values?: readonly unknown[], options?: QueryOptions) =>
      run(text, values, options) as Promise<R[]>,
    async transaction(work) {
      try {
        return await pool.transaction(async (tx) => {
          const scope = openScope(runner(tx));
          try {
            const result = await work(scope.db);
            await scope.settle();
            return result;
          } finally {
            scope.end();
          }
        }, 0);
      } catch (error) {
        throw toDaybookError(error);
      }
    },
  };
}

function fromTransaction(tx: Slonik): Db {
  const run = runner(tx);
  return {
    query: <R>(text: string, values?: readonly unknown[], options?: QueryOptions) =>
      run(text, values, options) as Promise<R[]>,
    transaction: (work) => savepoint(run, work),
  };
}

const queryToken = Symbol.for("SLONIK_TOKEN_QUERY");
const parser = z.unknown();

function runner(connection: Slonik): Run {
  return async (text, values = [], options = {}) => {
    const asText = rowsAsText(text);
    try {
      const result = await connection.query({
        type: queryToken,
        sql: asText ?? text,
        values: toParameters(values),
        parser,
      });
      const read = asText === undefined ? readParsed(result) : readText(result);
      return options.rowMode === "array" ? read.rows : read.rows.map((row) => toObject(read.names, row));
    } catch (error) {
      throw isLost(error) ? new ConnectionLostError(error.message, { cause: error }) : toDaybookError(error, text);
    }
  };
}

/** Told by its class, which is not at hand without slonik. */
function isLost(error: unknown): error is Error {
  return error instanceof Error && error.constructor.name.startsWith("BackendTerminated");
}

interface Read {
  readonly names: readonly string[];
  readonly rows: unknown[][];
}

function readText({ fields: [, ...fields], rows }: SlonikResult): Read {
  const parsers = fields.map((field) => parserOf(field.dataTypeId));
  return {
    names: fields.map((field) => field.name),
    rows: rows.map((row) => {
      const texts = parseRecord(String(Object.values(row as object)[0]));
      return parsers.map((parse, i) => {
        const value = texts[i];
        return value === null || value === undefined ? null : parse(value);
      });
    }),
  };
}

function readParsed({ fields, rows }: SlonikResult): Read {
  return {
    names: fields.map((field) => field.name),
    rows: rows.map((row) => {
      const values = Object.values(row as object);
      return fields.map((field, i) => fromPoolValue(field.dataTypeId, values[i]));
    }),
  };
}

function toObject(names: readonly string[], row: readonly unknown[]): Record<string, unknown> {
  return Object.fromEntries(names.map((name, i) => [name, row[i]]));
}

/** Whether something is a pool, a connection or a transaction of slonik. */
export function isSlonik(db: object): db is Slonik {
  return "anyFirst" in db && "query" in db && "transaction" in db;
}
