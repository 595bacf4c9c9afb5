import { z } from "zod";
import type { Source } from "../consumers/types.ts";
import type { Db } from "../db.ts";
import { StaleClaimError } from "../errors.ts";
import { handlerSource } from "../handlers/handler-source.ts";
import type { StoredEvent } from "../store/types.ts";
import type { Projection } from "./projection-types.ts";
import type { Version } from "./target-tables.ts";

/** The events of a version of a projection, and its code. */
export interface ProjectionSource extends Source<StoredEvent> {
  /** What the last batch has found its version to be. */
  readonly version: Version | undefined;
}

const versions = z.array(
  z
    .object({
      version: z.int(),
      revision: z.int(),
      takes: z.string(),
      stage: z.enum(["live", "building"]),
      schema_name: z.string(),
      begun: z.string(),
      start_position: z.bigint(),
      epoch: z.string(),
    })
    .transform(({ schema_name: schemaName, start_position: startPosition, ...row }) => ({
      ...row,
      schemaName,
      startPosition,
    })),
);

// the search path is that of the batch: what was read says where it writes
const enterText = `
  select v.version, v.revision, v.takes, v.stage, v.schema_name, v.begun_at::text as begun, v.start_position,
         (select s.epoch from daybook.settings s) as epoch, set_config('search_path', format('%I, pg_temp', v.schema_name), true)
    from daybook.projection_versions v
   where v.consumer = $1::text and v.stage <> 'retired'`;

/** The version that a projection, or `<name>@<version>`, stands for; the transaction's search path leads to it. */
async function enterVersion(tx: Db, name: string) {
  const [row] = versions.parse(await tx.query(enterText, [name], { name: "daybook_enter_version" }));
  return row;
}

/** What is known of a version. */
export async function readVersion(db: Db, name: string): Promise<Version | undefined> {
  return db.transaction((tx) => enterVersion(tx, name));
}

/** @param name the projection's, or `<name>@<version>` */
export function projectionSource(projection: Projection, name: string): ProjectionSource {
  let version: Version | undefined;
  const base = handlerSource(
    codeOf(projection, () => version?.version ?? 0),
    name,
    "projection",
  );

  async function enter(tx: Db): Promise<void> {
    const row = await enterVersion(tx, name);
    if (row === undefined || row.takes !== "typescript" || row.revision !== projection.revision) {
      // a higher revision has taken its place, or an older one is still to be seen to
      throw new StaleClaimError(`projection ${name} is not at revision ${projection.revision}`, {
        detail: { kind: "projection", name, position: null, expected: null },
      });
    }
    version = row;
  }

  return {
    ...base,
    get version() {
      return version;
    },
    async read(tx, of, range) {
      await enter(tx);
      return base.read(tx, of, range);
    },
    async readParked(tx, of, range) {
      await enter(tx);
      return base.readParked(tx, of, range);
    },
  };
}

/** Its code, as handlers have it. */
function codeOf(projection: Projection, version: () => number) {
  const { name, handle, handleBatch, batchByTenant, tenantId } = projection;
  const context = <C extends { handler: string }>({ handler: _, ...rest }: C) => ({
    ...rest,
    projection: name,
    version: version(),
  });
  return {
    batchByTenant,
    tenantId,
    handle: handle && ((event, given) => handle(event, context(given))),
    handleBatch: handleBatch && ((events, given) => handleBatch(events, context(given))),
  } satisfies Parameters<typeof handlerSource>[0];
}
