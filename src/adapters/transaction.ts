import type { Db, QueryOptions } from "../db.ts";

/** Sends one statement over one connection. */
export type Run = (text: string, values?: readonly unknown[], options?: QueryOptions) => Promise<unknown[]>;

/** A transaction, or a savepoint of one, that is open. */
export interface Scope {
  readonly db: Db;
  /** Ends it; throws the error of a statement that was swallowed and has left the transaction aborted. */
  settle(): Promise<void>;
  /** Ends it. */
  end(): void;
}

/** Runs work in a transaction of a connection that is in none. */
export async function wholeTransaction<T>(run: Run, work: (tx: Db) => Promise<T>, onBroken: () => void): Promise<T> {
  await run("begin");
  const scope = openScope(run);
  try {
    const result = await work(scope.db);
    await scope.settle();
    await run("commit");
    return result;
  } catch (error) {
    scope.end();
    await run("rollback").catch(onBroken);
    throw error;
  }
}

/** A `Db` within a transaction: its own transactions are savepoints. */
export function openScope(run: Run, depth = 1): Scope {
  let over = false;
  let nested = false;
  let failure: { readonly error: unknown } | undefined;

  const guarded: Run = async (text, values, options) => {
    if (over) throw new Error("this transaction has ended; use the db it was made of");
    try {
      return await run(text, values, options);
    } catch (error) {
      failure ??= { error };
      throw error;
    }
  };

  const db: Db = {
    query: <R>(text: string, values?: readonly unknown[], options?: QueryOptions) =>
      guarded(text, values, options) as Promise<R[]>,
    async transaction(work) {
      if (over) throw new Error("this transaction has ended; use the db it was made of");
      if (nested) throw new Error("a transaction runs one nested transaction at a time; within it, use its own tx");
      nested = true;
      try {
        return await savepoint(run, work, depth);
      } finally {
        nested = false;
      }
    },
  };

  return {
    db,
    async settle() {
      over = true;
      // it is not aborted if a savepoint made by hand was rolled back to
      if (failure !== undefined && (await isAborted(run))) throw failure.error;
    },
    end() {
      over = true;
    },
  };
}

/** Runs work in a savepoint of the transaction that a connection is in. */
export async function savepoint<T>(run: Run, work: (tx: Db) => Promise<T>, depth = 1): Promise<T> {
  const name = `daybook_${depth}`;
  await run(`savepoint ${name}`);
  const scope = openScope(run, depth + 1);
  let result: T;
  try {
    result = await work(scope.db);
    await scope.settle();
    await run(`release savepoint ${name}`);
  } catch (error) {
    scope.end();
    // where this fails the connection is lost, and with it the transaction
    await run(`rollback to savepoint ${name}`).then(
      () => run(`release savepoint ${name}`),
      () => undefined,
    );
    throw error;
  }
  return result;
}

async function isAborted(run: Run): Promise<boolean> {
  return run("select").then(
    () => false,
    () => true,
  );
}
