import { z } from "zod";
import { EffectError } from "../consumers/types.ts";
import { type Db, type DbLike, toDb } from "../db.ts";
import { advanceProjection } from "../projections/advance-projection.ts";
import { projectionSource } from "../projections/projection-source.ts";
import type { Projection } from "../projections/projection-types.ts";
import { registerProjection } from "../projections/register-projection.ts";
import { runScript } from "../projections/run-script.ts";
import { append } from "../store/append.ts";
import { createMemoryStore } from "./memory-store.ts";

/** An event that a test begins with. */
export interface GivenEvent {
  readonly streamId: string;
  readonly type: string;
  readonly data?: object | undefined;
  readonly metadata?: object | undefined;
  readonly tags?: readonly string[] | undefined;
  readonly occurredAt?: Date | undefined;
  readonly tenantId?: string | undefined;
}

/** What a projection is tested with. */
export interface ProjectionScenario {
  /** In this order. */
  readonly given: readonly GivenEvent[];
  /** SQL that is run first: the schema and the text of its apply function. */
  readonly prepare?: string | undefined;
  /** A database with Daybook in it, as its owner; nothing of the test stays there. One in memory if not given. */
  readonly db?: DbLike | undefined;
  /** Events that are applied at a time at most: 1 shows whether it matters how they come. All, unless said otherwise. */
  readonly maxBatch?: number | undefined;
}

type Rows = Record<string, Record<string, unknown>[]>;

/**
 * Given these events, then these rows: what a projection in SQL or TypeScript makes of events, by table, in the order of
 * primary keys. All of it happens in one transaction that is rolled back. A `target` is left out: its tables are made beside
 * the events.
 *
 * @throws InvalidProjectionError where it cannot be like this; what its code fails with
 */
export async function testProjection(projection: Projection, scenario: ProjectionScenario): Promise<Rows> {
  if (scenario.db !== undefined) return rolledBack(toDb(scenario.db), (tx) => run(tx, projection, scenario));
  await using store = await createMemoryStore();
  return await rolledBack(store.db, (tx) => run(tx, projection, scenario));
}

async function rolledBack<T>(db: Db, work: (tx: Db) => Promise<T>): Promise<T> {
  const done = new Error("rolled back");
  let result: { readonly value: T } | undefined;
  try {
    await db.transaction(async (tx) => {
      result = { value: await work(tx) };
      throw done;
    });
  } catch (error) {
    if (error !== done) throw error;
  }
  if (result === undefined) throw done;
  return result.value;
}

async function run(
  tx: Db,
  defined: Projection,
  { given, prepare, maxBatch = 10_000 }: ProjectionScenario,
): Promise<Rows> {
  if (prepare !== undefined) await runScript(tx, prepare);
  const projection: Projection = { ...defined, target: null, from: "now", onFailure: "halt" };
  await registerProjection(tx, projection);
  for (const { streamId, tenantId, ...event } of given) {
    await append(tx, { streamId, tenantId, events: { ...event, data: event.data ?? {} } });
  }
  if (projection.apply === null) await applyCode(tx, projection, maxBatch);
  else if (projection.mode === "async") await advance(tx, projection, maxBatch);
  return readTables(tx, projection);
}

async function advance(tx: Db, { name }: Projection, maxCount: number): Promise<void> {
  for (;;) {
    const { more, outcome } = await advanceProjection(tx, { name, maxCount });
    if (outcome === "retry" || outcome === "halted") throw await failureOf(tx, name);
    if (!more) return;
  }
}

async function failureOf(tx: Db, name: string): Promise<Error> {
  const [row] = z
    .array(z.object({ last_error: z.looseObject({ message: z.string(), code: z.string().optional() }) }))
    .parse(await tx.query("select last_error from daybook.projections where name = $1", [name]));
  const { message, ...facts } = row?.last_error ?? { message: `projection ${name} has failed` };
  return Object.assign(new Error(message), facts);
}

const cursor = z.tuple([z.object({ position: z.bigint(), last: z.bigint() })]);

/** Its code is called as a drain calls it, on events that are not committed. */
async function applyCode(tx: Db, projection: Projection, maxCount: number): Promise<void> {
  const { name } = projection;
  const source = projectionSource(projection, name);
  const of = { kind: "projection", name, shard: 0, shardCount: 1 } as const;
  const [{ position, last }] = cursor.parse(
    await tx.query(
      `select c.position, coalesce(pg_sequence_last_value('daybook.positions'::regclass), 0) as last
         from daybook.cursors c where c.kind = 'projection' and c.name = $1`,
      [name],
    ),
  );
  const context = {
    attempt: 1,
    deadline: Number.POSITIVE_INFINITY,
    signal: new AbortController().signal,
    narrow: async (tenant: string | null) => {
      await tx.query("select set_config('daybook.tenant', $1, true)", [tenant ?? ""]);
    },
    onMayHaveSet: () => undefined,
  };
  for (let after = position; ; ) {
    await context.narrow(null);
    const events = await source.read(tx, of, { after, horizon: last, maxCount });
    const end = events.at(-1);
    if (end === undefined) break;
    try {
      await source.perform(tx, events, context);
    } catch (error) {
      throw error instanceof EffectError ? error.cause : error;
    }
    after = end.position;
  }
  await context.narrow(null);
}

async function readTables(tx: Db, { tables, schema }: Projection): Promise<Rows> {
  const found: Rows = {};
  for (const table of Object.keys(tables)) {
    const name = `${identifier(schema)}.${identifier(table)}`;
    const [key] = z.array(z.object({ columns: z.string() })).parse(
      await tx.query(
        `select string_agg(format('t.%I', a.attname), ', ' order by array_position(i.indkey::int2[], a.attnum)) as columns
           from daybook.projection_versions v
           join pg_class c on c.relname = $1 and c.relnamespace = to_regnamespace(quote_ident(v.schema_name))
           join pg_index i on i.indrelid = c.oid and i.indisprimary
           join pg_attribute a on a.attrelid = c.oid and a.attnum = any (i.indkey)
          where v.stage = 'live' and v.view_schema = $2 and v.tables ? $1
          group by i.indexrelid`,
        [table, schema],
      ),
    );
    found[table] = await tx.query(`select t.* from ${name} t order by ${key?.columns ?? "t::text"}`);
  }
  return found;
}

function identifier(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}
