import { type DbLike, toDb } from "../../src/index.ts";

/** What the server itself changes as time goes by: statistics, freezing, sizes. */
const drifting = [
  ..."relpages reltuples relallvisible relallfrozen relfrozenxid relminmxid relfilenode".split(" "),
  ..."datfrozenxid datminmxid".split(" "),
];
const unrelated = ["pg_statistic", "pg_statistic_ext_data", "pg_largeobject"];

/** Every row of every system catalogue of a database, and of its server, as text: `pg_class {…}`. */
export async function dumpCatalogue(db: DbLike): Promise<string[]> {
  const target = toDb(db);
  const tables = await target.query<{ name: string }>(
    `select c.relname as name from pg_class c
      where c.relnamespace = 'pg_catalog'::regnamespace and c.relkind = 'r' and c.relname <> all ($1::text[])
      order by 1`,
    [unrelated],
  );
  const lines: string[] = [];
  for (const { name } of tables) {
    const rows = await target.query<{ line: string }>(
      `select (to_jsonb(t) - $1::text[])::text as line from pg_catalog."${name}" t order by 1`,
      [drifting],
    );
    for (const { line } of rows) lines.push(`${name} ${line}`);
  }
  return lines;
}

/** The lines that only one of two dumps has, marked with - and +. */
export function differences(before: readonly string[], after: readonly string[]): string[] {
  const [old, now] = [new Set(before), new Set(after)];
  return [
    ...before.filter((line) => !now.has(line)).map((line) => `- ${line}`),
    ...after.filter((line) => !old.has(line)).map((line) => `+ ${line}`),
  ];
}
