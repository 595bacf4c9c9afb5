import { z } from "zod";
import { type Db, type DbLike, toDb } from "../db.ts";

const rows = z.tuple([z.object({ first: z.boolean() })]);

/** What `processOnce` takes besides. */
export interface ProcessOnceOptions {
  /** The tenant it is remembered for. Default: the tenant the session is narrowed to, or `default`. */
  readonly tenantId?: string | undefined;
}

/**
 * Processes a message once, however often it is delivered: `fn`'s writes and the note that the message was processed
 * commit together. A second delivery finds the note, and one that comes at the same time waits for the first. Remembered
 * for the setting `processed_retention`.
 *
 * @param db a transaction, whose commit is then the message's (in a savepoint of it); or a pool, for a transaction of its own
 * @param consumer who processes: each consumer processes a message once
 * @param messageId identity of the message, the same with every delivery
 * @param fn what is done; it must write through the `tx` it is given
 * @returns true if `fn` has run now, false if the message had been processed before
 */
export function processOnce(
  db: DbLike,
  consumer: string,
  messageId: string,
  fn: (tx: Db) => Promise<unknown>,
  options: ProcessOnceOptions = {},
): Promise<boolean> {
  return toDb(db).transaction(async (tx) => {
    const [{ first }] = rows.parse(
      await tx.query(
        "select daybook.process_once($1, $2, $3) as first",
        [consumer, messageId, options.tenantId ?? null],
        {
          name: "daybook_process_once",
        },
      ),
    );
    if (first) await fn(tx);
    return first;
  });
}
