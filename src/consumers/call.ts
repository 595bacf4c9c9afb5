import { z } from "zod";
import { type DbLike, toDb } from "../db.ts";

/** Arguments of an SQL function by name, each with its type; what is undefined is left to the function's default. */
export type Arguments = Readonly<Record<string, readonly [type: string, value: unknown]>>;

/** Calls a function of the schema that gives one value, and parses that. */
export async function callFunction<T>(db: DbLike, name: string, args: Arguments, result: z.ZodType<T>): Promise<T> {
  const given = Object.entries(args).filter(([, [, value]]) => value !== undefined);
  const list = given.map(([parameter, [type]], index) => `"${parameter}" => $${index + 1}::${type}`).join(", ");
  const [row] = await toDb(db).query(
    `select daybook.${name}(${list}) as result`,
    given.map(([, [, value]]) => value),
  );
  return result.parse(row?.result);
}

/** Of functions that return nothing. */
export const nothing = z.unknown().transform(() => undefined);

/** A position or a moment as SQL takes where to begin. */
export function startFrom(from: "start" | "now" | bigint | Date | undefined): string | undefined {
  return from instanceof Date ? from.toISOString() : from === undefined ? undefined : String(from);
}

/** Milliseconds as an interval. */
export function milliseconds(count: number): string {
  return `${count} milliseconds`;
}
