import type { Db, QueryOptions } from "../../src/index.ts";

/** The database, and how many queries it has been asked and not answered, and asked at all. */
export function counting(db: Db): Db & { asked: number; open: number } {
  const counted = {
    asked: 0,
    open: 0,
    async query<R>(text: string, values?: readonly unknown[], options?: QueryOptions): Promise<R[]> {
      counted.asked += 1;
      counted.open += 1;
      try {
        return await db.query<R>(text, values, options);
      } finally {
        counted.open -= 1;
      }
    },
    transaction: db.transaction,
  };
  return counted;
}
