import { z } from "zod";
import type { Db } from "../db.ts";
import type { Projection } from "./projection-types.ts";
import { checkpoints, identifier, TargetError, type Version } from "./target-tables.ts";

/*
 * The views of a projection in another database: as in that of the store they stay, with their rights and comments, and
 * nothing that rests on one is dropped.
 */

const sqlState = (error: unknown) => (error instanceof Error && "code" in error ? error.code : undefined);

/** Has readers there see a version. */
export async function showVersion(target: Db, projection: Projection, version: Version): Promise<void> {
  await target.transaction((tx) => showIn(tx, projection, version));
}

/** The same in a transaction of its caller. */
export async function showIn(tx: Db, projection: Projection, version: Version): Promise<void> {
  await tx.query(`create schema if not exists ${identifier(projection.schema)}`);
  const shown = await viewsOf(tx, projection.name);
  const next = Object.keys(projection.tables).map((table) => viewName(projection.schema, table));
  for (const [n, table] of Object.keys(projection.tables).entries()) {
    const view = next[n] ?? "";
    if (!shown.includes(view) && (await isThere(tx, view))) {
      throw new TargetError(`${view} is there already, and is not of projection ${projection.name}`);
    }
    await showTable(tx, view, `select * from ${identifier(version.schemaName)}.${identifier(table)}`);
  }
  for (const view of shown) if (!next.includes(view)) await dropView(tx, view);
  await tx.query(`update ${checkpoints} set is_shown = version = $2 where projection = $1`, [
    projection.name,
    version.version,
  ]);
}

const viewName = (schema: string, table: string) => `${identifier(schema)}.${identifier(table)}`;

const definitions = z.array(z.object({ definition: z.string() }));
const parts = z.tuple([z.record(z.string(), z.string()), z.unknown(), z.string()]);

/** The views that a projection has there already. */
async function viewsOf(tx: Db, name: string): Promise<string[]> {
  const rows = definitions.parse(
    await tx.query(`select c.definition from ${checkpoints} c where c.projection = $1 and c.is_shown`, [name]),
  );
  return rows.flatMap(({ definition }) => {
    const [tables, , schema] = parts.parse(JSON.parse(definition));
    return Object.keys(tables).map((table) => viewName(schema, table));
  });
}

async function isThere(tx: Db, view: string): Promise<boolean> {
  const [row] = await tx.query<{ there: boolean }>("select to_regclass($1) is not null as there", [view]);
  return row?.there === true;
}

async function showTable(tx: Db, view: string, select: string): Promise<void> {
  const replaced = await tx
    .transaction((inner) => inner.query(`create or replace view ${view} as ${select}`))
    .then(
      () => true,
      (error: unknown) => {
        // columns have changed or gone
        if (sqlState(error) === "42P16") return false;
        throw error;
      },
    );
  if (replaced) return;
  const rest = await rightsAndComments(tx, view);
  await dropView(tx, view);
  await tx.query(`create view ${view} as ${select}`);
  const columns = await columnsOf(tx, view);
  for (const { statement, column } of rest) if (column === null || columns.includes(column)) await tx.query(statement);
}

async function dropView(tx: Db, view: string): Promise<void> {
  try {
    await tx.transaction((inner) => inner.query(`drop view if exists ${view}`));
  } catch (error) {
    if (sqlState(error) !== "2BP01") throw error;
    const detail = error instanceof Error && "detail" in error ? String(error.detail) : "";
    throw new TargetError(`something rests on ${view}, whose columns change or which goes (${detail}): drop it first`);
  }
}

const statements = z.array(z.object({ statement: z.string(), column: z.string().nullable() }));

async function rightsAndComments(tx: Db, view: string) {
  return statements.parse(
    await tx.query(
      `with grants as (
         select null::text as attname, g.* from pg_class c cross join aclexplode(c.relacl) g
          where c.oid = $1::text::regclass and g.grantee <> c.relowner
         union all
         select a.attname::text, g.* from pg_attribute a cross join aclexplode(a.attacl) g where a.attrelid = $1::text::regclass)
       select format('grant %s%s on %s to %s%s', g.privilege_type, ' (' || quote_ident(g.attname) || ')', $1::text,
                     case g.grantee when 0 then 'public' else quote_ident(pg_get_userbyid(g.grantee)) end,
                     case when g.is_grantable then ' with grant option' end) as statement, g.attname as column
         from grants g
       union all
       select format('comment on view %s is %L', $1::text, obj_description($1::text::regclass, 'pg_class')), null
        where obj_description($1::text::regclass, 'pg_class') is not null
       union all
       select format('comment on column %s.%I is %L', $1::text, a.attname, col_description(a.attrelid, a.attnum)), a.attname::text
         from pg_attribute a where a.attrelid = $1::text::regclass and col_description(a.attrelid, a.attnum) is not null`,
      [view],
    ),
  );
}

async function columnsOf(tx: Db, view: string): Promise<string[]> {
  const rows = await tx.query<{ name: string }>(
    "select a.attname::text as name from pg_attribute a where a.attrelid = $1::text::regclass and a.attnum > 0",
    [view],
  );
  return rows.map(({ name }) => name);
}
