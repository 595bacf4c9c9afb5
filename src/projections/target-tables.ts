import { z } from "zod";
import type { Db } from "../db.ts";
import type { Projection } from "./projection-types.ts";
import { runScript } from "./run-script.ts";
import { showIn } from "./target-views.ts";

/*
 * The tables of a projection in another database: the same schemas of versions and views for readers as in that of the
 * store, and beside them the checkpoints, which move in the transaction of the effects.
 */

/** A version of a projection, as the store knows it. */
export interface Version {
  readonly version: number;
  readonly revision: number;
  readonly schemaName: string;
  readonly stage: "live" | "building";
  /** When it was begun, or begun anew. */
  readonly begun: string;
  readonly startPosition: bigint;
  /** Which store it is. */
  readonly epoch: string;
}

/** Where a projection has come to in the other database. */
export interface Checkpoint {
  readonly position: bigint;
  readonly eventId: string | null;
  readonly epoch: string;
}

/** What is in the other database is not what it must be, and nothing goes on until a person has looked at it. */
export class TargetError extends Error {
  override readonly name = "TargetError";
}

const schema = "daybook_projections";
/** Where checkpoints are. */
export const checkpoints = `${schema}.daybook_checkpoints`;

const found = z.array(
  z.object({
    position: z.bigint(),
    event_id: z.string().nullable(),
    epoch: z.string(),
    begun: z.string(),
    definition: z.string(),
    is_shown: z.boolean(),
  }),
);

const isMissing = (error: unknown) =>
  error instanceof Error && "code" in error && (error.code === "42P01" || error.code === "3F000");

/**
 * Where a version has come to there. Its tables are made if they are not there yet, and emptied where the store has had
 * it begin anew.
 */
export async function openTarget(target: Db, projection: Projection, version: Version): Promise<Checkpoint> {
  const there = await read(target, projection.name, version.version).catch((error: unknown) => {
    if (isMissing(error)) return undefined;
    throw error;
  });
  const isStrange = there !== undefined && there.epoch !== version.epoch;
  const isCurrent =
    there !== undefined && there.begun === version.begun && (there.is_shown || version.stage !== "live");
  // of another store: nothing is touched
  if (!isStrange && !isCurrent) await prepare(target, projection, version);
  const row = isStrange || isCurrent ? there : await read(target, projection.name, version.version);
  if (row === undefined) throw new Error(`the checkpoint of projection ${projection.name} has gone`);
  return { position: row.position, eventId: row.event_id, epoch: row.epoch };
}

async function read(target: Db, name: string, version: number) {
  const [row] = found.parse(
    await target.query(
      `select c.position, c.event_id, c.epoch, c.begun, c.definition, c.is_shown
         from ${checkpoints} c where c.projection = $1::text and c.version = $2::integer`,
      [name, version],
    ),
  );
  return row;
}

async function prepare(target: Db, projection: Projection, version: Version): Promise<void> {
  const { name } = projection;
  await target.transaction(async (tx) => {
    await tx.query("select pg_advisory_xact_lock(1145196368, 0)");
    await tx.query(`create schema if not exists ${schema}`);
    await tx.query(`create table if not exists ${checkpoints} (
      projection text not null, version integer not null, position bigint not null, event_id uuid, epoch uuid not null,
      begun text not null, definition text not null, schema_name text not null, is_shown boolean not null default false,
      moved_at timestamptz not null default now(), primary key (projection, version))`);
    const there = await read(tx, name, version.version);
    const definition = JSON.stringify([projection.tables, projection.setup, projection.schema]);
    if (there?.begun !== version.begun) {
      if (there?.definition === definition)
        await tx.query(`truncate ${tablesOf(projection, version)} restart identity`);
      else await makeTables(tx, projection, version);
      await tx.query(
        `insert into ${checkpoints} (projection, version, position, epoch, begun, definition, schema_name)
         values ($1, $2, $3, $4, $5, $6, $7)
         on conflict (projection, version) do update set
           position = excluded.position, event_id = null, epoch = excluded.epoch, begun = excluded.begun,
           definition = excluded.definition, moved_at = now()`,
        [name, version.version, version.startPosition, version.epoch, version.begun, definition, version.schemaName],
      );
    }
    if (version.stage === "live") await showIn(tx, projection, version);
  });
}

async function makeTables(tx: Db, projection: Projection, { schemaName }: Version): Promise<void> {
  await tx.query(`drop schema if exists ${identifier(schemaName)} cascade`);
  await tx.query(`create schema ${identifier(schemaName)}`);
  for (const [table, columns] of Object.entries(projection.tables)) {
    await tx.query(`create table ${identifier(schemaName)}.${identifier(table)} (${columns})`);
  }
  if (projection.setup === null) return;
  const [before] = await tx.query<{ path: string }>("select current_setting('search_path') as path");
  await enter(tx, schemaName);
  await runScript(tx, projection.setup);
  await tx.query("select set_config('search_path', $1, true)", [before?.path ?? ""]);
}

/** Removes the versions that readers no longer see. */
export async function dropOthers(target: Db, name: string, keep: readonly number[]): Promise<void> {
  await target.transaction(async (tx) => {
    await tx.query("set local lock_timeout = '1s'");
    const gone = await tx.query<{ schema_name: string }>(
      `delete from ${checkpoints} c
        where c.projection = $1 and not c.is_shown and c.version <> all ($2::integer[]) returning c.schema_name`,
      [name, keep],
    );
    for (const row of gone) await tx.query(`drop schema if exists ${identifier(row.schema_name)} cascade`);
  });
}

/** Removes all of a projection there. */
export async function forgetTarget(target: Db, name: string, cascade: boolean): Promise<void> {
  await target.transaction(async (tx) => {
    const gone = await tx.query<{ schema_name: string; definition: string }>(
      `delete from ${checkpoints} where projection = $1 returning schema_name, definition`,
      [name],
    );
    for (const { schema_name, definition } of gone) {
      const [tables, , views] = z
        .tuple([z.record(z.string(), z.string()), z.unknown(), z.string()])
        .parse(JSON.parse(definition));
      for (const table of Object.keys(tables)) {
        await tx.query(
          `drop view if exists ${identifier(views)}.${identifier(table)} ${cascade ? "cascade" : "restrict"}`,
        );
      }
      await tx.query(`drop schema if exists ${identifier(schema_name)} cascade`);
    }
  });
}

/** Puts the schema of a version first on the search path of a transaction. */
export async function enter(tx: Db, schemaName: string): Promise<void> {
  await tx.query("select set_config('search_path', $1, true)", [`${identifier(schemaName)}, pg_temp`]);
}

function tablesOf(projection: Projection, { schemaName }: Version): string {
  return Object.keys(projection.tables)
    .map((table) => `${identifier(schemaName)}.${identifier(table)}`)
    .join(", ");
}

export function identifier(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}
