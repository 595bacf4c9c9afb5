import { readFileSync } from "node:fs";

/** What a function file of `sql/functions` says, by the name of the function. */
export function functionFile(name: string): string {
  return readFileSync(new URL(`../../sql/functions/${name}.sql`, import.meta.url), "utf8");
}

/**
 * The file of a function with one thing changed in it.
 *
 * @throws if what is to be changed is not there: the file has changed, and the mutation must follow it
 */
export function changed(name: string, ...changes: readonly (readonly [from: string | RegExp, to: string])[]): string {
  let sql = functionFile(name);
  for (const [from, to] of changes) {
    const before = sql;
    sql = sql.replace(from, () => to);
    if (sql === before) throw new Error(`sql/functions/${name}.sql does not have ${from} any more`);
  }
  return sql;
}
