import type { Db, QueryOptions } from "../db.ts";

/** What one call of a handler is given of the transaction. */
export interface CallScope {
  readonly tx: Db;
  /** The first error of a statement of this call, if any. */
  readonly failure: { readonly error: unknown } | undefined;
  /** Whether a statement of this call may have changed settings of the transaction, such as the tenant it is narrowed to. */
  readonly mayHaveSet: boolean;
  /**
   * Ends it: statements sent later are refused, rather than running in the context of the next event.
   *
   * @throws the error of a statement that was swallowed and has left the transaction aborted
   * @throws Error where a statement is still under way: nobody would hear of its failure
   */
  settle(): Promise<void>;
  end(): void;
}

/** Opens the scope of one call within the transaction of a batch. */
export function openCall(tx: Db): CallScope {
  let isOver = false;
  let underWay = 0;
  let failure: { readonly error: unknown } | undefined;
  let mayHaveSet = false;

  const check = () => {
    if (isOver) throw new Error("this call of the handler has ended; await all that it does with tx");
  };
  const run = async <T>(work: () => Promise<T>): Promise<T> => {
    check();
    underWay += 1;
    try {
      return await work();
    } finally {
      underWay -= 1;
    }
  };
  const counted = <T>(work: () => Promise<T>): Promise<T> => {
    const result = run(work);
    // one that nobody awaits fails its event (settle), not the process
    result.catch(() => undefined);
    return result;
  };
  const note = (error: unknown): never => {
    failure ??= { error };
    throw error;
  };

  return {
    tx: {
      query: <R>(text: string, values?: readonly unknown[], options?: QueryOptions) => {
        mayHaveSet ||= setsSomething.test(text);
        return counted(() => tx.query<R>(text, values, options).catch(note));
      },
      transaction(work) {
        // what is sent within it is not looked at
        mayHaveSet = true;
        return counted(() => tx.transaction(work));
      },
    },
    get mayHaveSet() {
      return mayHaveSet;
    },
    get failure() {
      return failure;
    },
    async settle() {
      isOver = true;
      if (underWay > 0) throw new Error("the handler returned while a statement of it was under way; await all of tx");
      // it is not aborted where the handler has rolled back to a savepoint of its own
      if (failure !== undefined && (await isAborted(tx))) throw failure.error;
    },
    end() {
      isOver = true;
    },
  };
}

/** Statements that change settings, or a function that does so by name. */
const setsSomething = /set_config|daybook\.tenant|^\s*(set|reset|discard)\b/i;

async function isAborted(tx: Db): Promise<boolean> {
  return tx.query("select").then(
    () => false,
    () => true,
  );
}
