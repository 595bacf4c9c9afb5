import { z } from "zod";
import type { DrainOptions } from "../../src/consumers/drain.ts";
import {
  type Db,
  type DbLike,
  type DrainResult,
  drainHandler,
  type Handler,
  type StoredEvent,
} from "../../src/index.ts";
import type { TestDatabase } from "../support/database.ts";

/** What handlers of a test have written, in order of writing. */
export interface Effect {
  readonly handler: string;
  readonly stream: string;
  readonly version: number;
  readonly position: number;
  readonly tenant: string;
}

const effects = z.array(
  z.object({
    handler: z.string(),
    stream: z.string(),
    version: z.coerce.number(),
    position: z.coerce.number(),
    tenant: z.string(),
  }),
);

/** Makes the table that `writeEffect` writes to. */
export async function effectsTable({ pool }: TestDatabase): Promise<void> {
  await pool.query(`
    create table effects (
      n bigint generated always as identity, handler text, stream text, version bigint, position bigint, tenant text);
    grant all on effects to public`);
}

/** Writes down that an event was handled. */
export async function writeEffect(tx: Db, handler: string, event: StoredEvent): Promise<void> {
  await tx.query("insert into effects (handler, stream, version, position, tenant) values ($1, $2, $3, $4, $5)", [
    handler,
    event.streamId,
    event.version,
    event.position,
    event.tenantId,
  ]);
}

/** What was written, by whom or by all. */
export async function readEffects({ pool }: TestDatabase, handler?: string): Promise<Effect[]> {
  const { rows } = await pool.query("select * from effects where $1::text is null or handler = $1 order by n", [
    handler,
  ]);
  return effects.parse(rows);
}

/** `account-1@1`, … of what was written. */
export async function effectNames(database: TestDatabase, handler?: string): Promise<string[]> {
  return (await readEffects(database, handler)).map(({ stream, version }) => `${stream}@${version}`);
}

/** Drains until it ends for another reason than its time. */
export async function drainAll(db: DbLike, handler: Handler, options: DrainOptions = {}): Promise<DrainResult> {
  for (let handled = 0; ; ) {
    const result = await drainHandler(db, handler, options);
    handled += result.handled;
    if (result.outcome !== "budget") return { ...result, handled };
  }
}

/** Appends events to streams, in the order of their names: `account-1`, `account-2`, … */
export async function append({ pool }: TestDatabase, ...streams: string[]): Promise<void> {
  for (const stream of streams) {
    const [id, tenant = "default"] = stream.split("/");
    await pool.query("select daybook.append_event($1, 'Tested', tenant_id => $2)", [id, tenant]);
  }
}

/** The first column of the first row. */
export async function value<T>({ pool }: TestDatabase, text: string, values: readonly unknown[] = []): Promise<T> {
  const { rows } = await pool.query({ text, values: [...values], rowMode: "array" });
  return rows[0]?.[0];
}
