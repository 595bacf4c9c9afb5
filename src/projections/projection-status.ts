import { z } from "zod";
import { type DbLike, toDb } from "../db.ts";

const json = z.record(z.string(), z.unknown());

const statusRow = z
  .object({
    name: z.string(),
    version: z.int(),
    mode: z.enum(["inline", "async"]),
    takes: z.enum(["event", "batch", "typescript"]),
    revision: z.int(),
    tenant_id: z.string().nullable(),
    state: z.enum(["running", "inline", "following", "paused", "halted"]),
    state_reason: z.string().nullable(),
    position: z.bigint(),
    behind: z.coerce.number(),
    lag_seconds: z.coerce.number().nullable(),
    health: z.enum(["good", "warning", "critical"]),
    rate: z.number().nullable(),
    last_error: json.nullable(),
    parked_streams: z.coerce.number(),
    dead_letters: z.coerce.number(),
    needs_person: z.boolean(),
    building_version: z.int().nullable(),
    building_state: z.enum(["running", "paused", "halted"]).nullable(),
    building_reason: z.string().nullable(),
    building_position: z.bigint().nullable(),
    building_error: json.nullable(),
    building_progress: z.coerce.number().nullable(),
    building_seconds_left: z.coerce.number().nullable(),
    schema: z.string(),
    tables: z.array(z.string()),
    moved_at: z.date().nullable(),
  })
  .transform((row) => ({
    name: row.name,
    /** The version that readers see. */
    version: row.version,
    mode: row.mode,
    /** What its code is given: `event`, `batch`, or `typescript` (it runs in a worker). */
    takes: row.takes,
    revision: row.revision,
    /** Null = every tenant. */
    tenantId: row.tenant_id,
    /** `following`: it is to be inline, once it has caught up. */
    state: row.state,
    stateReason: row.state_reason,
    /** Everything up to here is in its rows, but for what is parked. */
    position: row.position,
    /** Events it follows among the next 10,000 of the log. */
    behind: row.behind,
    /** Age of the first event it follows and has not got, in seconds; null = there is none. */
    lag: row.lag_seconds,
    /** `good`: less than 5 seconds behind; `warning`: up to 30; `critical`: more, or halted. */
    health: row.health,
    /** Events a second while it is at work; null = nothing yet. */
    rate: row.rate,
    /** Why it stays before an event. */
    lastError: row.last_error,
    parkedStreams: row.parked_streams,
    deadLetters: row.dead_letters,
    /** Whether it goes on only when a person has looked at it. */
    needsPerson: row.needs_person,
    /** The version that is being built beside it; null = none. */
    building:
      row.building_version === null
        ? null
        : {
            version: row.building_version,
            state: row.building_state,
            /** Why it is paused or halted, or what it waits for before it can take its place. */
            reason: row.building_reason,
            position: row.building_position,
            error: row.building_error,
            /** From 0 to 1. */
            progress: row.building_progress,
            /** Null = not known yet. */
            secondsLeft: row.building_seconds_left,
          },
    /** Schema of its views. */
    schema: row.schema,
    tables: row.tables,
    movedAt: row.moved_at,
  }));

/** How a projection is. */
export type ProjectionStatus = z.output<typeof statusRow>;

/** The projections as they are now (the view `daybook.projections`), by name: all, or one. */
export async function projectionStatus(
  db: DbLike,
  { name }: { readonly name?: string | undefined } = {},
): Promise<ProjectionStatus[]> {
  const rows = await toDb(db).query(
    `select name, version, mode, takes, revision, tenant_id, state, state_reason, position, behind, lag_seconds, health, rate,
            last_error, parked_streams, dead_letters, needs_person, building_version, building_state, building_reason,
            building_position, building_error, building_progress, building_seconds_left, schema, tables, moved_at
       from daybook.projections p
      where $1::text is null or p.name = $1
      order by p.name`,
    [name ?? null],
  );
  return z.array(statusRow).parse(rows);
}
