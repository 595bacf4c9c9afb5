import type { Test } from "tap";
import type { DbLike } from "../../../src/index.ts";
import { checkErrors } from "./db-errors.ts";
import { checkStore } from "./db-store.ts";
import { checkTransactions } from "./db-transactions.ts";
import { checkValues } from "./db-values.ts";

/** A database with Daybook in it, through one driver. */
export interface DbSubject {
  /** What Daybook's functions are handed. */
  readonly db: DbLike;
  /**
   * True: `db` is in a transaction of its driver, as an application has one open. Nothing of it is visible outside, and
   * an error outside a savepoint would end it.
   */
  readonly inTransaction: boolean;
  /** Runs work in a transaction (where `db` is in one: a savepoint) that the driver itself makes, and hands over what the driver gives for it. */
  driverTransaction<T>(work: (tx: DbLike) => Promise<T>): Promise<T>;
  /** Inserts into public.contract_rows (id text) past the adapter, as the application does within what `tx` stands for. */
  insertRow(tx: DbLike, id: string): Promise<void>;
}

/**
 * The contract of an adapter: the same results, of the same types, and the same errors, whatever the driver.
 *
 * @param make makes the subject of one test, and has it end with the test
 */
export function dbContract(t: Test, name: string, make: (t: Test) => Promise<DbSubject>): void {
  t.test(name, async (t) => {
    const subject = await make(t);
    await t.test("values", (t) => checkValues(t, subject));
    await t.test("the store", (t) => checkStore(t, subject));
    await t.test("errors", (t) => checkErrors(t, subject));
    await t.test("transactions", (t) => checkTransactions(t, subject));
  });
}
