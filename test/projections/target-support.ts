import type { Test } from "tap";
import { type Db, defineProjection, type EachProjectionDefinition, type JsonObject } from "../../src/index.ts";
import { type TestDatabase, testDatabase } from "../support/database.ts";

/** A projection that keeps one row an event in another database, and takes one twice where it is given twice. */
export function journal(target: Db, before: () => Promise<void> | void = () => undefined) {
  return {
    name: "journal",
    tables: { journal: "n bigint generated always as identity, position bigint, stream_id text, version bigint" },
    setup: "create index on journal (stream_id); comment on table journal is 'One row an event.'",
    target,
    async handle(event, { tx }) {
      await before();
      await tx.query("insert into journal (position, stream_id, version) values ($1, $2, $3)", [
        event.position,
        event.streamId,
        event.version,
      ]);
    },
  } satisfies EachProjectionDefinition<JsonObject>;
}

/** A store, and an empty database beside it. */
export async function two(t: Test) {
  const store = await testDatabase(t);
  const other = await testDatabase(t, { template: false });
  const projection = defineProjection(journal(other.db));
  return { store, other, projection };
}

/** Positions that readers of the other database see, in the order in which they were written. */
export async function written({ pool }: TestDatabase): Promise<number[]> {
  const { rows } = await pool.query("select position::integer from daybook_projections.journal order by n");
  return rows.map(({ position }) => position);
}

export async function logged({ pool }: TestDatabase): Promise<number[]> {
  const { rows } = await pool.query("select position::integer from daybook.events order by position");
  return rows.map(({ position }) => position);
}

export async function checkpoint({ pool }: TestDatabase) {
  const { rows } = await pool.query(
    "select version, position::integer, is_shown from daybook_projections.daybook_checkpoints order by version",
  );
  return rows;
}
